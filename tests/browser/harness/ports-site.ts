/** An empty page that has the browser's ports, served on localhost with the site's headers, for tests of ports alone. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export interface PortsSite {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly requests: string[];
  /** From now on serves a service worker of another version of the site. */
  newVersion(): void;
  /** Ends the server, which then answers nothing. */
  close(): Promise<void>;
}

const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Content-Security-Policy': "default-src 'self'",
};

export async function servePorts(): Promise<PortsSite> {
  const page = await bundle('./ports-page.ts');
  let version = 1;
  const index = (): string => `<!doctype html><title>version ${version}</title><script src="/page.js?${version}"></script>`;
  const worker = await bundle('../../../src/worker/service-worker.ts', { 'self.__WB_MANIFEST': 'SHELL_FILES' });
  const shell = (): string => JSON.stringify(['/index.html', '/page.js'].map((url) => ({ url, revision: `v${version}` })));
  const requests: string[] = [];

  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push(path);
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const send = (type: string, body: string): void => void response.setHeader('Content-Type', `${type}; charset=utf-8`).end(body);
    if (path.startsWith('/page.js')) send('text/javascript', page);
    else if (path === '/sw.js') send('text/javascript', `const SHELL_FILES = ${shell()};\n${worker}`);
    else if (path === '/status') send('application/json', '{"from":"the server"}');
    else if (path === '/assets/core-abcdefgh.wasm') send('application/wasm', 'large');
    else if (path.startsWith('/worker.js?')) send('text/javascript', new URL(path, 'http://localhost').searchParams.get('code') ?? '');
    else if (path.startsWith('/hls/')) response.writeHead(404).end('the server has no video');
    else send('text/html', index());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    newVersion() {
      version++;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const bundles = new Map<string, Promise<string>>();

/** One script out of a module and all that it imports, in production mode. Made once. */
function bundle(module: string, define: Record<string, string> = {}): Promise<string> {
  const made = bundles.get(module) ?? makeBundle(module, define);
  bundles.set(module, made);
  return made;
}

async function makeBundle(module: string, define: Record<string, string>): Promise<string> {
  const input = fileURLToPath(new URL(module, import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    define: { 'import.meta.env.PROD': 'true', ...define }, // vitest has set NODE_ENV
    build: { write: false, minify: false, target: 'es2022', rolldownOptions: { input, output: { format: 'iife' } } },
  });
  const output = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  const chunk = output.find((part) => part.type === 'chunk');
  if (chunk?.type !== 'chunk') throw new Error(`${module} was not built.`);
  return chunk.code;
}
