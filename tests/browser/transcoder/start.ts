/** Builds the transcoder's page as production does, serves it under production's headers, and opens it in Chromium. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { CHROMIUM_FLAGS, findChromium } from '../../chromium.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const SITE = join(HERE, '../../.cache/transcoder-site');

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; media-src 'self' blob:; img-src 'self' data:",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cache-Control': 'no-store',
};

export interface TranscoderTab {
  readonly page: Page;
  readonly browser: Browser;
  /** Where what the page puts is written. */
  readonly output: string;
  /** What the page or its workers complained about: errors, and refusals by the content security policy. */
  readonly complaints: string[];
  /** When it is true, threads of ffmpeg get a script that does nothing: they never say that they are there. */
  muteThreads: boolean;
  close(): Promise<void>;
}

export async function openTranscoderTab(output: string): Promise<TranscoderTab> {
  await build({
    configFile: false,
    logLevel: 'warn',
    root: HERE,
    worker: { format: 'es' },
    build: {
      outDir: SITE,
      emptyOutDir: true,
      target: 'es2022',
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 4000,
    },
  });
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
    const respond = async (): Promise<void> => {
      if (request.method === 'PUT') {
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part as Buffer);
        const file = join(output, path.replace(/^\/put\//, ''));
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, Buffer.concat(parts));
        response.writeHead(204).end();
        return;
      }
      if (path === '/favicon.ico') {
        response.writeHead(204).end();
        return;
      }
      const name = path === '/' ? '/index.html' : path;
      if (tab.muteThreads && name.includes('ffmpeg-core.worker')) {
        response.writeHead(200, { ...HEADERS, 'Content-Type': 'text/javascript' }).end();
        return;
      }
      const root = name.startsWith('/out/') ? join(output, name.slice(4)) : join(SITE, name);
      const body = await readFile(root);
      response.writeHead(200, { ...HEADERS, 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream' }).end(body);
    };
    respond().catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const executablePath = findChromium();
  if (!executablePath) throw new Error('No Chromium was found.');
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const tab: TranscoderTab = {
    page,
    browser,
    output,
    complaints,
    muteThreads: false,
    async close() {
      await browser.close();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForFunction(() => 'transcoder' in window);
  return tab;
}
