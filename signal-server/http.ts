/** What an open node answers over HTTP: the built site and `/status`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readStaticFiles, type StaticFile, sendStaticFile } from './static-files.ts';

export interface HttpOptions {
  /** The folder of the built site; null for a node without one. */
  readonly siteDir: string | null;
  /** What `/status` says. */
  readonly status: () => unknown;
}

/**
 * Only the page's own files run, and wasm among them. `ws:` and `wss:` are open because open nodes are found at run time;
 * `blob:` pictures and media are the poster and the player's MediaSource, `data:` media the empty captions that hls.js begins each language with.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "connect-src 'self' ws: wss:",
  "img-src 'self' data: blob:",
  "media-src 'self' blob: data:",
  "worker-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  // Isolated from other sites' windows: what SharedArrayBuffer, and so threads, ask for.
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
};

/** Names under here hold a hash of the contents. */
const HASHED = '/assets/';
const FOREVER = 'public, max-age=31536000, immutable';
const ASK_AGAIN = 'no-cache';
/** The service worker's own: when a request for it comes here, there is no worker yet, and no video here either. */
const VIDEO = '/hls/';
/** For a request's headers, and for all of it (ms): none here has a body. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 20_000;
/** How often those two are looked at (ms). */
const TIMEOUT_CHECKS = 5_000;
const TIMEOUTS = { headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT, connectionsCheckingInterval: TIMEOUT_CHECKS };

/** The server, not listening yet. */
export function createHttp(options: HttpOptions): Server {
  const files = options.siteDir === null ? new Map<string, StaticFile>() : readStaticFiles(options.siteDir);
  const server = createServer(TIMEOUTS, (request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      sendText(response, { status: 405, text: 'Only GET and HEAD are answered here.' });
      return;
    }
    const path = pathOf(request);
    if (path === '/status') sendStatus(response, options.status());
    else sendPage(request, response, { files, path });
  });
  return server;
}

function sendPage(
  request: IncomingMessage,
  response: ServerResponse,
  { files, path }: { files: ReadonlyMap<string, StaticFile>; path: string | null },
): void {
  const file = path === null ? undefined : files.get(path);
  if (file) {
    response.setHeader('Cache-Control', path?.startsWith(HASHED) ? FOREVER : ASK_AGAIN);
    sendStaticFile(request, response, file);
    return;
  }
  // The application draws its own pages (`/`, `/watch/…`); an address that names a file must not get a page in its place.
  const page = files.get('/index.html');
  if (page && path !== null && isPagePath(path)) {
    response.setHeader('Cache-Control', ASK_AGAIN);
    sendStaticFile(request, response, page);
    return;
  }
  response.setHeader('Cache-Control', 'no-store');
  if (path === '/') sendText(response, { status: 200, text: 'This is an open node of Kadreel. It serves no site; tabs reach it at /ws.' });
  else sendText(response, { status: 404, text: 'There is nothing at this address.' });
}

function isPagePath(path: string): boolean {
  return !path.startsWith(VIDEO) && !path.startsWith(HASHED) && !/\.\w+$/.test(path);
}

function sendStatus(response: ServerResponse, status: unknown): void {
  const text = JSON.stringify(status);
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.writeHead(200).end(text);
}

function sendText(response: ServerResponse, { status, text }: { status: number; text: string }): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(text) + 1);
  response.writeHead(status).end(`${text}\n`);
}

/** The decoded path, or null when it does not decode. It is only ever looked up among known names, so `..` leads nowhere. */
function pathOf(request: IncomingMessage): string | null {
  try {
    return decodeURIComponent((request.url ?? '/').split('?', 1)[0] as string);
  } catch {
    return null;
  }
}
