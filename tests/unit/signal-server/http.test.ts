import { rmSync } from 'node:fs';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHttp } from '../../../signal-server/http.ts';
import { makeSite, SCRIPT } from './site.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

const site = makeSite();
const server = createHttp({ siteDir: site.folder, status: () => ({ id: 'abc', links: 3 }) });
const bare = createHttp({ siteDir: null, status: () => ({}) });
beforeAll(async () => {
  for (const one of [server, bare]) await new Promise<void>((resolve) => void one.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  for (const one of [server, bare]) await new Promise((resolve) => one.close(resolve));
  site.remove();
});

/** Sends the path as it is: `fetch` would tidy up the dots of a traversal. */
function ask(
  path: string,
  { method = 'GET', headers = {}, of = server }: { method?: string; headers?: Record<string, string>; of?: typeof server } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = of.address() as AddressInfo;
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the site', () => {
  test('every answer carries the headers that isolate the page', async () => {
    for (const path of ['/', '/assets/app-1234abcd.js', '/absent.js', '/status']) {
      const { headers } = await ask(path);
      const policy = String(headers['content-security-policy']);
      expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
      expect(policy).not.toMatch(/'unsafe-(inline|eval)'/);
      expect(policy).toContain("object-src 'none'");
      expect(headers).toMatchObject({
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
        'cross-origin-resource-policy': 'same-origin',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      expect(headers['permissions-policy']).toContain('camera=()');
    }
  });

  test('pages of the application are index.html, asked for again each time', async () => {
    for (const path of ['/', '/publish', '/watch/0123456789abcdef0123456789abcdef01234567', '/watch/x?t=10']) {
      const answer = await ask(path);
      expect([path, answer.status, answer.headers['content-type']]).toEqual([path, 200, 'text/html; charset=utf-8']);
      expect(answer.body.toString()).toContain('<title>Kadreel</title>');
      expect(answer.headers['cache-control']).toBe('no-cache');
    }
  });

  test('hashed files are kept for ever, the service worker is not', async () => {
    expect((await ask('/assets/app-1234abcd.js')).headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const worker = await ask('/sw.js');
    expect(worker.headers).toMatchObject({ 'cache-control': 'no-cache', 'content-type': 'text/javascript; charset=utf-8' });
    expect((await ask('/manifest.webmanifest')).headers['content-type']).toBe('application/manifest+json');
  });

  test('an address that names a file or a video which is not here is 404, never a page', async () => {
    for (const path of [
      '/assets/app-old.js',
      '/assets/',
      '/absent.png',
      '/hls/0123/master.m3u8',
      '/hls/0123/0/1.m4s',
      '/hls/',
      '/.env',
      '/assets/app-1234abcd.js.br',
    ])
      expect([path, (await ask(path)).status]).toEqual([path, 404]);
  });

  test('no path leads out of the folder', async () => {
    const tries = [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/assets/../../secret.txt',
      '/....//secret.txt',
      '/%5c..%5csecret.txt',
      '//etc/passwd.txt',
    ];
    for (const path of tries) {
      const { status, body } = await ask(path);
      expect([path, status, body.toString()]).toEqual([path, 404, 'There is nothing at this address.\n']);
    }
  });

  test('an address that does not decode is 404', async () => {
    expect((await ask('/%E0%A4%A')).status).toBe(404);
    expect((await ask('/%')).status).toBe(404);
  });

  test('other methods are 405 and say which are answered', async () => {
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ask('/', { method });
      expect([method, status, headers.allow]).toEqual([method, 405, 'GET, HEAD']);
    }
  });

  test('HEAD gives the headers of GET and no body', async () => {
    for (const path of ['/', '/assets/core-1234abcd.wasm']) {
      const [get, head] = [await ask(path), await ask(path, { method: 'HEAD' })];
      expect(head.status).toBe(200);
      expect(head.body).toHaveLength(0);
      expect(head.headers['content-length']).toBe(String(get.body.length));
    }
  });

  test('the compressed form goes to whoever takes it, brotli first', async () => {
    const path = '/assets/app-1234abcd.js';
    const as = async (accepted: string): Promise<Answer> => ask(path, { headers: { 'accept-encoding': accepted } });
    const brotli = await as('gzip, deflate, br');
    expect(brotli.headers).toMatchObject({
      'content-encoding': 'br',
      vary: 'Accept-Encoding',
      'content-type': 'text/javascript; charset=utf-8',
    });
    expect(brotliDecompressSync(brotli.body).toString()).toBe(SCRIPT);
    const gzip = await as('gzip;q=0.8, br;q=0');
    expect(gzip.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(gzip.body).toString()).toBe(SCRIPT);
    for (const accepted of ['', 'identity', 'gzip;q=0, br;q=0.0', 'brrr']) {
      const plain = await as(accepted);
      expect([accepted, plain.headers['content-encoding'], plain.body.toString()]).toEqual([accepted, undefined, SCRIPT]);
    }
    expect(new Set([brotli, gzip, await as('')].map(({ headers }) => headers.etag)).size).toBe(3);
  });

  test('who has it already gets 304', async () => {
    const { headers } = await ask('/');
    for (const known of [String(headers.etag), `"other", W/${headers.etag}`, '*']) {
      const again = await ask('/', { headers: { 'if-none-match': known } });
      expect([known, again.status, again.body.length]).toEqual([known, 304, 0]);
    }
    expect((await ask('/', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  test('ranges, which nobody needs here, are not asked for: the whole file comes', async () => {
    for (const range of ['bytes=5-2', 'bytes=-5', 'bytes=x-y', 'bytes=0-99999999999']) {
      const { status, body } = await ask('/assets/core-1234abcd.wasm', { headers: { range } });
      expect([range, status, body.length]).toEqual([range, 200, 3 * 1024 * 1024]);
    }
  });

  test('a file that a new build has removed breaks that answer only', async () => {
    const path = join(site.folder, 'assets/core-1234abcd.wasm');
    rmSync(path);
    await expect(ask('/assets/core-1234abcd.wasm')).rejects.toThrow();
    expect((await ask('/')).status).toBe(200);
  });
});

describe('/status', () => {
  test('is JSON that nobody keeps', async () => {
    const { status, headers, body } = await ask('/status');
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'application/json', 'no-store']);
    expect(JSON.parse(body.toString())).toEqual({ id: 'abc', links: 3 });
  });
});

describe('a node without a site', () => {
  test('says what it is', async () => {
    const { status, body } = await ask('/', { of: bare });
    expect([status, body.toString()]).toEqual([200, 'This is an open node of Kadreel. It serves no site; tabs reach it at /ws.\n']);
    expect((await ask('/watch/x', { of: bare })).status).toBe(404);
  });
});
