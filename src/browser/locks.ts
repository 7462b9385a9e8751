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
  /** Who waits, the first comer first; each answers whether it still does. */
  const waiting = new Map<string, (() => boolean)[]>();
  const hold = (name: string): Cancel => {
    let isHeld = true;
    taken.add(name);
    return () => {
      if (!isHeld) return;
      isHeld = false;
      taken.delete(name);
      const queue = waiting.get(name) ?? [];
      while (queue.length > 0 && !queue.shift()?.());
      if (queue.length === 0) waiting.delete(name);
    };
  };
  return {
    take: async (name) => (taken.has(name) ? null : hold(name)),
    wait(name, signal) {
      if (signal.aborted) return Promise.reject(abortError(signal));
      if (!taken.has(name)) return Promise.resolve(hold(name));
      return new Promise((resolve, reject) => {
        waiting.set(name, [
          ...(waiting.get(name) ?? []),
          () => {
            if (!signal.aborted) resolve(hold(name));
            return !signal.aborted;
          },
        ]);
        signal.addEventListener('abort', () => reject(abortError(signal)), { once: true });
      });
    },
  };
}
