/** A Chromium whose service workers nobody watches: Playwright attaches itself to each, and one that is watched does not end by itself. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import WebSocket from 'ws';
import { CHROMIUM_FLAGS } from '../../chromium.mjs';
import { executable } from './chromium.ts';

export interface UnwatchedPage {
  /** Runs a function that uses nothing from around it in the page. Rejects with what it throws, also when the page goes away under it. */
  evaluate<T, A = undefined>(run: (argument: A) => T | Promise<T>, argument?: A): Promise<T>;
  /** Resolves when the new document has loaded. */
  reload(): Promise<void>;
  /** Resolves when the page is gone. */
  close(): Promise<void>;
}

export interface Unwatched {
  open(url: string): Promise<UnwatchedPage>;
  /** Ends the browser and removes its disk. */
  close(): Promise<void>;
}

/** Starting a browser takes seconds on a busy machine (ms). */
const START_TIMEOUT = 30_000;

/** A browser with a disk of its own, which all its pages share. */
export async function launchUnwatched(): Promise<Unwatched> {
  const folder = mkdtempSync(join(tmpdir(), 'kadreel-browser-'));
  const flags = [...CHROMIUM_FLAGS, '--headless', '--remote-debugging-port=0', `--user-data-dir=${folder}`];
  const browser = spawn(executable(), flags, { stdio: 'ignore', detached: true });
  // It writes its port on the first line once it listens.
  const readPort = (): string => {
    const [port, path] = readFileSync(join(folder, 'DevToolsActivePort'), 'utf8').split('\n');
    if (!port || !path) throw new Error('Chromium has not written its port yet.');
    return port;
  };
  const devtools = `http://127.0.0.1:${await vi.waitFor(readPort, { timeout: START_TIMEOUT })}`;
  return {
    open: (url) => openPage(devtools, url),
    async close() {
      const ended = once(browser, 'exit');
      process.kill(-(browser.pid as number), 'SIGKILL'); // all its processes: one that lives on would still write to the disk
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Reply {
  readonly error?: { readonly message: string };
  readonly result?: {
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
  };
}

async function openPage(devtools: string, url: string): Promise<UnwatchedPage> {
  const created = await fetch(`${devtools}/json/new?about:blank`, { method: 'PUT' });
  const target = (await created.json()) as { id: string; webSocketDebuggerUrl: string };
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await once(socket, 'open');
  const waiting = new Map<number, (reply: Reply) => void>();
  let onLoad = (): void => undefined;
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as Reply & { id?: number; method?: string };
    if (message.method === 'Page.loadEventFired') onLoad();
    if (message.id === undefined) return;
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  });
  socket.on('close', () => {
    for (const settle of waiting.values()) settle({ error: { message: 'The page is gone.' } });
  });
  let calls = 0;
  const call = async (method: string, params = {}): Promise<Reply> => {
    const reply = new Promise<Reply>((resolve) => waiting.set(++calls, resolve));
    socket.send(JSON.stringify({ id: calls, method, params }));
    const { error, ...rest } = await reply;
    if (error) throw new Error(`${method}: ${error.message}`);
    return rest;
  };
  const load = async (method: string, params = {}): Promise<void> => {
    const loaded = new Promise<void>((resolve) => {
      onLoad = resolve;
    });
    await call(method, params);
    await loaded;
  };
  await call('Page.enable');
  await load('Page.navigate', { url });

  return {
    async evaluate(run, argument) {
      const expression = `(${run})(${JSON.stringify(argument)})`;
      const { result } = await call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
      if (result?.exceptionDetails) throw new Error(result.exceptionDetails.exception?.description ?? 'The page threw.');
      return result?.result?.value as Awaited<ReturnType<typeof run>>;
    },
    reload: () => load('Page.reload'),
    async close() {
      const gone = once(socket, 'close');
      await fetch(`${devtools}/json/close/${target.id}`);
      await gone;
    },
  };
}
