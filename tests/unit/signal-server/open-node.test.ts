import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createOpenNode, type OpenNode, type OpenNodeOptions } from '../../../signal-server/open-node.ts';
import { encode } from '../../../src/base/schema.ts';
import { CALLS } from '../../../src/wire/messages.ts';
import { makeSite } from './site.ts';

const opened: OpenNode[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((node) => node.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function open(options: Partial<OpenNodeOptions> = {}): OpenNode {
  const node = createOpenNode({ port: 0, host: '127.0.0.1', ...options });
  opened.push(node);
  return node;
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kadreel-data-'));
  folders.push(folder);
  return folder;
}

describe('an open node', () => {
  test('serves the site, its socket and its status on one port', async () => {
    const site = makeSite();
    const node = open({ siteDir: site.folder });
    const { url, port, wsUrl } = await node.ready;
    expect([url, wsUrl]).toEqual([`http://127.0.0.1:${port}`, `ws://127.0.0.1:${port}/ws`]);
    expect(await (await fetch(url)).text()).toContain('<title>Kadreel</title>');
    expect(node.node.contact).toMatchObject({ open: wsUrl, via: [] });
    site.remove();
  });

  test('/status: id, version, links, uptime, and counters that are numbers', async () => {
    const node = open();
    const { url } = await node.ready;
    const status = await (await fetch(`${url}/status`)).json();
    expect(Object.keys(status)).toEqual(['id', 'version', 'links', 'uptime', 'counters']);
    expect(status).toMatchObject({ id: node.node.contact.id, version: expect.stringMatching(/^\d+\.\d+\.\d+$/), links: 0 });
    expect(status.uptime).toBeGreaterThanOrEqual(0);
    expect(Object.keys(status.counters)).toEqual(expect.arrayContaining(['calls', 'relayed', 'malformed', 'links.tabs', 'door.accepted']));
    for (const value of Object.values(status.counters)) expect(typeof value).toBe('number');
  });

  test('two find each other, and a third finds the second through the first', async () => {
    const first = open();
    const { wsUrl } = await first.ready;
    const second = open({ bootstrap: [wsUrl] });
    const third = open({ bootstrap: [wsUrl] });
    await Promise.all([second.ready, third.ready]);
    const linkedIds = (node: OpenNode): string[] =>
      node.node
        .links()
        .map((link) => link.id)
        .sort();
    const ids = [first, second, third].map((node) => node.node.contact.id);
    await vi.waitFor(
      () => {
        for (const [i, node] of [first, second, third].entries()) expect(linkedIds(node)).toEqual(ids.filter((_, j) => j !== i).sort());
      },
      { timeout: 20_000 },
    );
    expect(first.status().links).toBe(2);
    await second.close();
    await vi.waitFor(() => expect(first.status().links).toBe(1), 5000);
  });

  test('[A5] [L4] is as quiet as who dialled it asks, within bounds; what others carry changes no gap', async () => {
    const first = open();
    const { wsUrl } = await first.ready;
    const second = open({ bootstrap: [wsUrl] });
    await second.ready;
    await vi.waitFor(() => expect(second.node.links()).toHaveLength(1), 10_000);
    const [link] = second.node.links();
    if (!link) throw new Error('no link');
    const gaps = await Promise.all([1, 90_000, 2 ** 31].map((gap) => link.call('QUIET', { gap })));
    expect(gaps.map(({ gap }) => gap)).toEqual([45_000, 90_000, 240_000]);
    const body = encode(CALLS.QUIET.request, { gap: 90_000 });
    const { id, open: url, publicKey } = second.node.contact;
    const from = { publicKey, open: url, via: [], coordinate: null, nat: null, stun: null };
    expect(id).not.toBe(link.id);
    await expect(link.call('RELAY', { to: link.id, via: null, hops: 3, from, method: CALLS.QUIET.method, body })).rejects.toMatchObject({
      code: 'refused',
    });
    await vi.waitFor(() => expect(first.node.links()).toHaveLength(1));
    await expect(first.node.links()[0]?.call('QUIET', { gap: 90_000 })).rejects.toMatchObject({ code: 'refused' });
  });

  test('takes no video: it is not asked to, and refuses when it is', async () => {
    const first = open();
    const { wsUrl } = await first.ready;
    const second = open({ bootstrap: [wsUrl] });
    await second.ready;
    await vi.waitFor(() => expect(second.node.links()).toHaveLength(1), 10_000);
    const link = second.node.links()[0];
    const group = first.node.contact.id;
    await expect(link?.call('OFFER', { group, descriptor: new Uint8Array(64) })).rejects.toMatchObject({ code: 'refused' });
    await expect(link?.call('DESCRIBE', { group })).rejects.toMatchObject({ code: 'not-found' });
  });

  test('its public address is what others are told', async () => {
    for (const [publicUrl, wsUrl] of [
      ['https://video.example', 'wss://video.example/ws'],
      ['http://192.0.2.1:8080/', 'ws://192.0.2.1:8080/ws'],
      ['https://video.example/kadreel/', 'wss://video.example/kadreel/ws'],
      ['wss://video.example/ws', 'wss://video.example/ws'],
    ]) {
      const node = open({ publicUrl: publicUrl as string });
      expect([publicUrl, (await node.ready).wsUrl]).toEqual([publicUrl, wsUrl]);
    }
    for (const publicUrl of ['video.example', 'ftp://video.example', 'https://video.example/?a=1', `https://${'a'.repeat(300)}.example`])
      await expect(open({ publicUrl }).ready).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('public address'),
      });
  });

  test('a port that is taken is said in words that help', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const node = open({ port });
    await expect(node.ready).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(`${port} is in use.*PORT=${port + 1} npm start`),
    });
    await node.close();
    other.close();
  });

  test('closing frees the port, twice is once, and also before it was ready', async () => {
    const node = open();
    const { port } = await node.ready;
    await Promise.all([node.close(), node.close()]);
    await expect(fetch(`http://127.0.0.1:${port}/status`)).rejects.toThrow();
    await open({ port }).ready;
    await open().close();
  });
});

describe('the identity of an open node', () => {
  test('is kept in DATA_DIR, for its owner only', async () => {
    const dataDir = join(makeFolder(), 'made', 'when', 'missing');
    const first = open({ dataDir });
    await first.ready;
    const { id } = first.node.contact;
    expect(statSync(join(dataDir, 'node-key.pem')).mode & 0o777).toBe(0o600);
    await first.close();
    const again = open({ dataDir });
    await again.ready;
    expect(again.node.contact.id).toBe(id);
    const other = open({ dataDir: makeFolder() });
    await other.ready;
    expect(other.node.contact.id).not.toBe(id);
  });

  test('is never replaced because it can not be read', async () => {
    const dataDir = makeFolder();
    const path = join(dataDir, 'node-key.pem');
    writeFileSync(path, 'not a key');
    chmodSync(path, 0o600);
    await expect(open({ dataDir }).ready).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining(path) });
    expect(readFileSync(path, 'utf8')).toBe('not a key');
    rmSync(path);
    mkdirSync(path);
    await expect(open({ dataDir }).ready).rejects.toMatchObject({ code: 'invalid' });
  });
});
