/** An empty page that has the browser's ports, served on localhost, for tests of ports alone. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

export interface PortsSite {
  readonly url: string;
  close(): Promise<void>;
}

export async function servePorts(): Promise<PortsSite> {
  const script = await bundle(fileURLToPath(new URL('./ports-page.ts', import.meta.url)));
  const server = createServer((request, response) => {
    if (request.url === '/page.js') response.setHeader('Content-Type', 'text/javascript').end(script);
    else if (request.url === '/') {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>ports</title><script src="/page.js"></script>');
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** One script out of a module and all that it imports, in production mode. */
async function bundle(input: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    build: { write: false, minify: false, target: 'es2022', rolldownOptions: { input, output: { format: 'iife' } } },
  });
  const output = (Array.isArray(built) ? built : [built]).flatMap((one) => ('output' in one ? one.output : []));
  const chunk = output.find((part) => part.type === 'chunk');
  if (chunk?.type !== 'chunk') throw new Error('The page of the ports was not built.');
  return chunk.code;
}
