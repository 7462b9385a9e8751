/** The Siblings port for the tabs of one made-up browser. */
import type { Siblings } from '../../../src/base/ports.ts';

export interface MemorySiblings {
  tab(): Siblings;
}

export function createMemorySiblings(): MemorySiblings {
  const tabs = new Set<Set<(row: string) => void>>();
  return {
    tab() {
      const own = new Set<(row: string) => void>();
      tabs.add(own);
      return {
        tell(row) {
          for (const listeners of tabs) {
            if (listeners === own) continue;
            for (const listener of listeners) queueMicrotask(() => listeners.has(listener) && listener(row));
          }
        },
        listen(listener) {
          own.add(listener);
          return () => own.delete(listener);
        },
      };
    },
  };
}
