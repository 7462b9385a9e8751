/** The built site's files, with the compressed forms that the build put beside them. */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';

/** Files up to this size (bytes) are kept in memory, so that what is served stays one build even while the next is being written. */
const IN_MEMORY = 1024 * 1024;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};

/** As in Content-Encoding, the better first. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

interface Body {
  readonly path: string;
  /** Null when it is read from disk each time. */
  readonly bytes: Buffer | null;
  readonly size: number;
  readonly encoding: 'br' | 'gzip' | null;
  /** Strong, and different for each encoding (RFC 9110 §8.8.3). */
  readonly etag: string;
}

/** One file of the site in all the forms that are there, the smallest first. */
export interface StaticFile {
  readonly type: string;
  readonly bodies: readonly Body[];
}

/** All files under `folder` by their path in an address (`/assets/app.js`). Reads the folder once; throws when it is not there. */
export function readStaticFiles(folder: string): ReadonlyMap<string, StaticFile> {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const present = new Set(all);
  const files = new Map<string, StaticFile>();
  for (const path of all) {
    const type = TYPES[extname(path)];
    if (!type) continue; // .br and .gz among them: they are only other forms of a file
    const bodies = ENCODINGS.flatMap(([encoding, ending]) => (present.has(path + ending) ? [readBody(path + ending, encoding)] : []));
    files.set(`/${relative(folder, path).split(sep).join('/')}`, { type, bodies: [...bodies, readBody(path, null)] });
  }
  return files;
}

function readBody(path: string, encoding: Body['encoding']): Body {
  const { size, mtimeMs } = statSync(path);
  const bytes = size <= IN_MEMORY ? readFileSync(path) : null;
  const mark = createHash('sha256').update(bytes ?? `${size} ${mtimeMs}`);
  return { path, bytes, size: bytes?.length ?? size, encoding, etag: `"${mark.digest('base64url').slice(0, 16)}"` };
}

/** Answers a GET or HEAD with the file, in the best form that the asker takes; 304 when it has that already. */
export function sendStaticFile(request: IncomingMessage, response: ServerResponse, file: StaticFile): void {
  const body = chooseBody(file, String(request.headers['accept-encoding'] ?? ''));
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('ETag', body.etag);
  if (knows(request.headers['if-none-match'], body.etag)) {
    response.writeHead(304).end();
    return;
  }
  response.setHeader('Content-Type', file.type);
  response.setHeader('Content-Length', body.size);
  if (body.encoding) response.setHeader('Content-Encoding', body.encoding);
  if (request.method === 'HEAD' || body.bytes) {
    response.writeHead(200).end(request.method === 'HEAD' ? undefined : body.bytes);
    return;
  }
  const stream = createReadStream(body.path, { end: body.size - 1 });
  stream.once('open', () => response.writeHead(200));
  stream.on('error', () => response.destroy()); // gone or shortened by a new build: the asker tries again
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

function chooseBody(file: StaticFile, accepted: string): Body {
  const refused = /;\s*q=0(\.0*)?\s*$/;
  const taken = new Set(
    accepted
      .split(',')
      .filter((part) => !refused.test(part))
      .map((part) => (part.split(';', 1)[0] as string).trim().toLowerCase()),
  );
  return file.bodies.find(({ encoding }) => encoding === null || taken.has(encoding)) as Body;
}

function knows(header: string | undefined, etag: string): boolean {
  if (!header) return false;
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}
