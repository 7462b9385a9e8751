/** The Store port in memory: what an open node keeps is small, and its tabs store it again when it comes back. */
import { type Bytes, copy } from '../src/base/bytes.ts';
import { fail } from '../src/base/errors.ts';
import { STORE_TABLES, type Store, type StoreChange, type StoreTable } from '../src/base/ports.ts';

/** What the keys and maps cost beside the values (bytes an entry): so that many tiny entries count too. */
const ENTRY_OVERHEAD = 200;

/** Keeps at most `limit` bytes, its own overhead included; then `write` and `update` reject with `quota`. */
export function createMemoryStore(limit: number): Store {
  const tables = new Map<StoreTable, Map<string, Bytes>>(STORE_TABLES.map((table) => [table, new Map()]));
  let used = 0;
  let closed = false;

  const table = (name: StoreTable): Map<string, Bytes> => {
    if (closed) throw fail('closed', 'The store is closed.');
    return tables.get(name) as Map<string, Bytes>;
  };

  const apply = (changes: readonly StoreChange[]): void => {
    const after = new Map<string, number>(); // what each touched entry will take; a later change of the same entry wins
    for (const { table: name, key, value } of changes) after.set(`${name}/${key}`, value === null ? 0 : sizeOf(key, value));
    let next = used;
    for (const [id, size] of after) {
      const slash = id.indexOf('/');
      const key = id.slice(slash + 1);
      const before = table(id.slice(0, slash) as StoreTable).get(key);
      next += size - (before ? sizeOf(key, before) : 0);
    }
    if (next > limit && next > used) throw fail('quota', `This node keeps ${limit} bytes at most, and they are full.`);
    for (const { table: name, key, value } of changes) {
      if (value === null) table(name).delete(key);
      else table(name).set(key, copy(value));
    }
    used = next;
  };

  const names = (name: StoreTable, prefix: string): string[] => {
    const found: string[] = [];
    for (const key of table(name).keys()) if (key.startsWith(prefix)) found.push(key);
    return found.sort(); // by code unit
  };

  return {
    async get(name, key) {
      const value = table(name).get(key);
      return value ? copy(value) : null;
    },
    async write(changes) {
      apply(changes);
    },
    async update(name, key, change) {
      const before = table(name).get(key);
      const value = change(before ? copy(before) : null);
      apply([{ table: name, key, value }]);
      return value && copy(value);
    },
    async entries(name, prefix = '') {
      return names(name, prefix).map((key) => [key, copy(table(name).get(key) as Bytes)] as const);
    },
    async keys(name, prefix = '') {
      return names(name, prefix);
    },
    async capacity() {
      return { granted: limit, used };
    },
    close() {
      closed = true;
      for (const one of tables.values()) one.clear();
    },
  };
}

function sizeOf(key: string, value: Bytes): number {
  return ENTRY_OVERHEAD + 2 * key.length + value.length;
}
