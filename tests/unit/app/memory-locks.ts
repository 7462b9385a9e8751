/** The Locks port for the tabs of one made-up browser. */
import { fail } from '../../../src/base/errors.ts';
import type { Locks } from '../../../src/base/ports.ts';
import { orAbort } from '../../../src/base/timing.ts';

export interface MemoryLocks {
  /** `close` lets go of all that the tab has, and of what it waits for. */
  tab(): Locks & { close(): void };
}

export function createMemoryLocks(): MemoryLocks {
  const taken = new Set<string>();
  /** Who waits, the first comer first; answers whether it still wants the name. */
  const waiting = new Map<string, (() => boolean)[]>();

  const release = (name: string): void => {
    taken.delete(name);
    const queue = waiting.get(name) ?? [];
    while (queue.length > 0 && !queue.shift()?.());
  };
  return {
    tab() {
      const held = new Set<() => void>();
      let closed = false;
      const hold = (name: string): (() => void) => {
        taken.add(name);
        const letGo = (): void => {
          if (held.delete(letGo)) release(name);
        };
        held.add(letGo);
        return letGo;
      };
      return {
        async take(name) {
          return taken.has(name) || closed ? null : hold(name);
        },
        wait(name, signal) {
          if (signal.aborted) return Promise.reject(fail('aborted', 'Nobody waits any more.'));
          if (!taken.has(name)) return Promise.resolve(hold(name));
          const free = new Promise<() => void>((resolve) => {
            const queue = waiting.get(name) ?? [];
            waiting.set(name, queue);
            queue.push(() => {
              if (signal.aborted || closed) return false;
              resolve(hold(name));
              return true;
            });
          });
          return orAbort(free, signal);
        },
        close() {
          closed = true;
          for (const letGo of [...held]) letGo();
        },
      };
    },
  };
}
