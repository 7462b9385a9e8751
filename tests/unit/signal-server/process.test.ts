/** The open node as the process that `npm start` runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { makeSite } from './site.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BUILT = join(ROOT, `tests/.cache/server-${process.pid}`); // inside, where its packages are found
const site = makeSite();
const running: ChildProcess[] = [];

beforeAll(async () => {
  await build({ configFile: join(ROOT, 'vite.config.ts'), logLevel: 'error', build: { ssr: 'signal-server/main.ts', outDir: BUILT } });
}, 60_000);
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});
afterAll(() => {
  rmSync(BUILT, { recursive: true, force: true });
  site.remove();
});

interface Running {
  readonly child: ChildProcess;
  /** All that it has written. */
  text(): string;
  readonly exit: Promise<number | null>;
}

function start(environment: Record<string, string>): Running {
  const child = spawn(process.execPath, [join(BUILT, 'main.js')], { env: { ...process.env, SITE_DIR: site.folder, ...environment } });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { child, text: () => text, exit: new Promise((resolve) => child.once('close', resolve)) };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

describe('the process', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'says where to look, and on %s ends with 0 within 3 s though tabs are linked',
    async (signal) => {
      const port = await freePort();
      const { child, text, exit } = start({ PORT: String(port) });
      await vi.waitFor(() => expect(text()).toContain(`http://localhost:${port}\n`), 10_000);
      expect(text()).toMatch(/Publish/);
      expect((await fetch(`http://localhost:${port}/`)).status).toBe(200);
      const tab = new WebSocket(`ws://localhost:${port}/ws`);
      await new Promise((resolve) => tab.once('open', resolve));
      const goodbye = new Promise((resolve) => tab.once('close', (code) => resolve(code)));
      const before = performance.now();
      child.kill(signal);
      expect(await exit).toBe(0);
      expect(performance.now() - before).toBeLessThan(3000);
      expect([1000, 1001]).toContain(await goodbye);
    },
  );

  test('a taken port, a bad PORT and a bad STUN_PORT end it with 1 and a sentence', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => void other.listen(0, resolve));
    const { port } = other.address() as AddressInfo;
    const taken = start({ PORT: String(port) });
    expect(await taken.exit).toBe(1);
    expect(taken.text()).toContain(`Port ${port} is in use by another program.`);
    expect(taken.text()).not.toContain('    at ');
    other.close();
    const bad = start({ PORT: 'eighty' });
    expect(await bad.exit).toBe(1);
    expect(bad.text()).toContain('PORT is “eighty”');
    const badStun = start({ PORT: '0', STUN_PORT: '0' });
    expect(await badStun.exit).toBe(1);
    expect(badStun.text()).toContain('STUN_PORT is “0”');
  });
});
