/** Programs of this machine, run to their end or kept running; all that was kept running is ended with the lab. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** A program that must be done by now (ms) hangs. */
const PATIENCE = 60_000;
/** Between asking a service to end and making it (ms). */
const GRACE = 3_000;

/** Runs a program to its end and gives what it wrote. Rejects with its own words when it fails. `input` is what it reads. */
export async function command(name: string, args: readonly string[], options: { input?: string } = {}): Promise<string> {
  const running = execute(name, [...args], { timeout: PATIENCE, maxBuffer: 64e6 });
  if (options.input !== undefined) running.child.stdin?.end(options.input);
  try {
    return (await running).stdout;
  } catch (error) {
    const { stderr = '', message = '' } = error as { stderr?: string; message?: string };
    throw new Error(`“${[name, ...args].join(' ')}” failed: ${stderr.trim() || message}`);
  }
}

/** A program that runs until it is told to end. */
export interface Service {
  readonly process: ChildProcess;
  /** Resolves with the first line of its output that matches. Rejects, with what it wrote, when it ends before. */
  says(pattern: RegExp): Promise<string>;
  /** Ends it, at once with `kill`. Idempotent. */
  stop(how?: { kill: boolean }): Promise<void>;
}

/** Starts a program that stays. */
export function startService(name: string, args: readonly string[], options: { env?: Record<string, string> } = {}): Service {
  const child = spawn(name, [...args], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
  let output = '';
  const listeners = new Set<() => void>();
  const wake = (): void => {
    for (const listener of listeners) listener();
  };
  let ended: string | null = null;
  child.on('error', (error) => {
    ended = error.message;
    wake();
  });
  child.on('exit', (code, signal) => {
    ended ??= `it ended with ${signal ?? code}`;
    wake();
  });
  child.stdin?.on('error', () => undefined); // it has ended: `exit` says so
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-1e6);
      wake();
    });
  }
  return {
    process: child,
    says(pattern) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          const line = output.split('\n').find((one) => pattern.test(one));
          if (line === undefined && ended === null) return;
          listeners.delete(look);
          if (line !== undefined) resolve(line);
          else reject(new Error(`“${name} ${args.join(' ')}” did not say ${pattern}: ${ended}\n${output.slice(-2000)}`));
        };
        listeners.add(look);
        look();
      });
    },
    async stop(how = { kill: false }) {
      if (ended !== null || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(how.kill ? 'SIGKILL' : 'SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), GRACE);
      await gone;
      clearTimeout(timer);
    },
  };
}
