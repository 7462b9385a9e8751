/** The Locks port: the Web Locks of the browser. */
import { fail } from '../base/errors.ts';
import type { Cancel, Locks } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';

const PREFIX = 'kadreel/';

/** Where the browser has no Web Locks each tab gets every name that it does not have itself. */
export function createLocks(): Locks {
  const manager = globalThis.navigator?.locks;
  if (!manager) return createOwnLocks();

  const request = (name: string, options: LockOptions): Promise<Cancel | null> =>
    new Promise((resolve, reject) => {
      const hold = (lock: Lock | null): Promise<void> | null => {
        if (!lock) {
          resolve(null);
          return null;
        }
        return new Promise((release) => resolve(() => release()));
      };
      manager.request(PREFIX + name, options, hold).catch(reject);
    });
  return {
    take: (name) => request(name, { ifAvailable: true }),
    async wait(name, signal) {
      try {
        const release = await request(name, { signal });
        if (release) return release;
      } catch (error) {
        if (signal.aborted) throw abortError(signal);
        throw error;
      }
      throw fail('internal', 'A lock came without being one.');
    },
  };
}

function createOwnLocks(): Locks {
  const taken = new Set<string>();
  return {
    async take(name) {
      if (taken.has(name)) return null;
      taken.add(name);
      return () => taken.delete(name);
    },
    // Only this tab could let go of it, and it does not wait for itself.
    wait: (_, signal) =>
      new Promise((_, reject) => {
        if (signal.aborted) reject(abortError(signal));
        signal.addEventListener('abort', () => reject(abortError(signal)), { once: true });
      }),
  };
}
