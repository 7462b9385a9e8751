/** An open node as a process of its own, as `npm start` runs it: it can be killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { Status } from '../../../signal-server/open-node.ts';
import { ROOT } from '../../../signal-server/prepare.mjs';
import { buildForProduction } from './site.ts';

export interface OpenNodeProcess {
  /** The site, for example `http://localhost:34567`. */
  readonly url: string;
  /** What other nodes dial. */
  readonly wsUrl: string;
  status(): Promise<Status>;
  /** Without a goodbye. Idempotent. */
  kill(): Promise<void>;
}

/** A process needs about a second, on a busy machine more (ms). */
const START_TIMEOUT = 15_000;

/** Builds what changed, and resolves when it listens. */
export async function startOpenNode(options: { port: number; bootstrap?: readonly string[] }): Promise<OpenNodeProcess> {
  buildForProduction();
  const { port, bootstrap = [] } = options;
  const child = spawn(process.execPath, [join(ROOT, 'dist/server/main.js')], {
    env: { ...process.env, PORT: String(port), BOOTSTRAP: bootstrap.join(','), SITE_DIR: join(ROOT, 'dist/site') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const url = `http://localhost:${port}`;
  await vi.waitFor(() => {
    if (!text.includes(url)) throw new Error(`The open node on port ${port} has not said that it runs.`);
  }, START_TIMEOUT);
  return {
    url,
    wsUrl: socketOf(port),
    status: async () => (await fetch(`${url}/status`)).json(),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** What others dial when nothing else is said. */
export function socketOf(port: number): string {
  return `ws://localhost:${port}/ws`;
}

/** A TCP port that is free now: nodes that name each other must know theirs before they start. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
