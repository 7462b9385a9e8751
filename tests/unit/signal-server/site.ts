/** A small built site on disk. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

export const SCRIPT = `export const text = '${'kadreel '.repeat(400)}';\n`;

/** Removed again by `remove`. A file beside the site, `secret.txt`, is what path traversal would find. */
export function makeSite(): { folder: string; remove: () => void } {
  const parent = mkdtempSync(join(tmpdir(), 'kadreel-site-'));
  const folder = join(parent, 'site');
  const write = (path: string, bytes: string | Buffer): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  write('index.html', '<!doctype html><title>Kadreel</title>');
  write('sw.js', '// the service worker');
  write('manifest.webmanifest', '{"name":"Kadreel"}');
  write('assets/app-1234abcd.js', SCRIPT);
  write('assets/app-1234abcd.js.br', brotliCompressSync(SCRIPT));
  write('assets/app-1234abcd.js.gz', gzipSync(SCRIPT));
  write('assets/core-1234abcd.wasm', Buffer.alloc(3 * 1024 * 1024, 7)); // large enough to be read from disk each time
  writeFileSync(join(parent, 'secret.txt'), 'secret');
  return { folder, remove: () => rmSync(parent, { recursive: true, force: true }) };
}
