/** `files.mjs FOLDER ADDRESS PORT`: serves the site's files and nothing else. Plain JavaScript, as it is run by Node itself. Says "ready". */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};
const [folder, address, port] = process.argv.slice(2);

createServer((request, response) => {
  const path = normalize(new URL(request.url, 'http://site').pathname);
  const named = join(folder, path);
  // The application draws its own pages: an address without an ending is one of them.
  const file = extname(path) === '' ? join(folder, 'index.html') : named;
  if (!existsSync(file) || !statSync(file).isFile()) return void response.writeHead(404).end();
  response.writeHead(200, {
    'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
  });
  createReadStream(file).pipe(response);
}).listen(Number(port), address, () => console.log('ready'));
process.stdin.resume().on('end', () => process.exit(0));
