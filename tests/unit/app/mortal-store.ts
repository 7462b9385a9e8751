/** A disk of a tab that dies at one of its writes: before it happens, or just after. From then on nothing that the tab asks of it ends. */
import type { Store, StoreChange } from '../../../src/base/ports.ts';

export interface MortalStore {
  readonly store: Store;
  /** Writes of publishing so far. */
  readonly writes: number;
  readonly dead: Promise<void>;
}

/** `at` counts from 1; null for a tab that lives. */
export function createMortalStore(store: Store, death: { readonly at: number; readonly done: boolean } | null): MortalStore {
  let writes = 0;
  let isDead = false;
  let die: () => void = () => undefined;
  const dead = new Promise<void>((resolve) => {
    die = resolve;
  });
  const never = (): Promise<never> => new Promise(() => undefined);
  const living = <T>(work: () => Promise<T>): Promise<T> => (isDead ? never() : work().then((result) => (isDead ? never() : result)));
  const end = (): Promise<never> => {
    isDead = true;
    die();
    return never();
  };
  return {
    store: {
      get: (table, key) => living(() => store.get(table, key)),
      entries: (table, prefix) => living(() => store.entries(table, prefix)),
      keys: (table, prefix) => living(() => store.keys(table, prefix)),
      capacity: () => living(() => store.capacity()),
      update: (table, key, change) => living(() => store.update(table, key, change)),
      async write(changes) {
        if (isDead) return never();
        if (!changes.some(isPublishing)) return living(() => store.write(changes));
        writes++;
        if (writes === death?.at && !death.done) return end();
        await store.write(changes);
        if (writes === death?.at) return end();
      },
      close: () => undefined,
    },
    get writes() {
      return writes;
    },
    dead,
  };
}

function isPublishing({ table, key }: StoreChange): boolean {
  return table === 'library' || table === 'groups' || key.startsWith('journal/') || key.startsWith('open/');
}
