/** What every Store must do (ports.ts, `Store`). */
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type Bytes, fromUtf8, toUtf8 } from '../../src/base/bytes.ts';
import { STORE_TABLES, type Store, type StoreTable } from '../../src/base/ports.ts';

/** `open` gives an empty store the first time it gets a name, and the same disk again the next time when `shared`. */
export function storeContract(name: string, options: { open: (name: string) => Promise<Store>; shared: boolean }): void {
  const opened: Store[] = [];
  let disks = 0;
  const openNamed = async (disk: string): Promise<Store> => {
    const store = await options.open(disk);
    opened.push(store);
    return store;
  };
  const open = (): Promise<Store> => openNamed(`contract-${name}-${++disks}`);
  afterEach(() => {
    for (const store of opened.splice(0)) store.close();
  });

  describe(`Store: ${name}`, () => {
    test('what was never written is null', async () => {
      const store = await open();
      for (const table of STORE_TABLES) expect(await store.get(table, 'absent')).toBeNull();
      expect(await store.entries('items')).toEqual([]);
    });

    test('a written value is read back, and tables do not see each other', async () => {
      const store = await open();
      await store.write([
        { table: 'items', key: 'a', value: fromUtf8('one') },
        { table: 'meta', key: 'a', value: fromUtf8('two') },
      ]);
      expect(toUtf8((await store.get('items', 'a')) as Bytes)).toBe('one');
      expect(toUtf8((await store.get('meta', 'a')) as Bytes)).toBe('two');
      expect(await store.get('library', 'a')).toBeNull();
    });

    test('a view is stored as the bytes that it shows', async () => {
      const store = await open();
      await store.write([{ table: 'segments', key: 's', value: fromUtf8('xxwhat it showsxx').subarray(2, -2) }]);
      const read = (await store.get('segments', 's')) as Bytes;
      expect(toUtf8(read)).toBe('what it shows');
      expect(read.buffer.byteLength).toBe(read.byteLength);
    });

    test('changing what was read does not change what is stored', async () => {
      const store = await open();
      await store.write([{ table: 'meta', key: 'k', value: new Uint8Array([1, 2, 3]) }]);
      ((await store.get('meta', 'k')) as Bytes)[0] = 9;
      expect(await store.get('meta', 'k')).toEqual(new Uint8Array([1, 2, 3]));
    });

    test('a null value deletes; of several changes of one key the last counts', async () => {
      const store = await open();
      await store.write([{ table: 'items', key: 'a', value: fromUtf8('one') }]);
      await store.write([{ table: 'items', key: 'a', value: null }]);
      expect(await store.get('items', 'a')).toBeNull();
      await store.write([
        { table: 'items', key: 'b', value: fromUtf8('first') },
        { table: 'items', key: 'b', value: fromUtf8('last') },
      ]);
      expect(toUtf8((await store.get('items', 'b')) as Bytes)).toBe('last');
      await store.write([]);
    });

    test('updates of one key at once do not lose each other', async () => {
      const store = await open();
      const count = (before: Bytes | null): Bytes => new Uint8Array([(before?.[0] ?? 0) + 1]);
      await Promise.all(Array.from({ length: 40 }, () => store.update('meta', 'counter', count)));
      expect(await store.get('meta', 'counter')).toEqual(new Uint8Array([40]));
    });

    test('update returns what it wrote; null deletes', async () => {
      const store = await open();
      expect(await store.update('meta', 'k', () => fromUtf8('new'))).toEqual(fromUtf8('new'));
      expect(await store.update('meta', 'k', (before) => (before && toUtf8(before) === 'new' ? null : before))).toBeNull();
      expect(await store.get('meta', 'k')).toBeNull();
    });

    test('an update whose change throws rejects with that error and changes nothing', async () => {
      const store = await open();
      await store.write([{ table: 'meta', key: 'k', value: fromUtf8('kept') }]);
      const broken = store.update('meta', 'k', () => {
        throw new Error('no');
      });
      await expect(broken).rejects.toThrow('no');
      expect(toUtf8((await store.get('meta', 'k')) as Bytes)).toBe('kept');
    });

    test('prefixes: exactly the keys that start with it, in the order of code units', async () => {
      const store = await open();
      const keys = ['a', 'a/', 'a/01', 'a/02', 'a/\uffff', 'a/\uffff\uffffz', 'a0', 'b', 'A/', '\uffff', '\uffff\uffff', '\ud800x'];
      await store.write(keys.map((key) => ({ table: 'segments', key, value: fromUtf8(key) })));
      for (const prefix of ['', 'a', 'a/', 'a/0', 'a/\uffff', '\uffff', 'zz', '\ud800']) {
        const expected = keys.filter((key) => key.startsWith(prefix)).sort(byCodeUnit);
        expect(await store.keys('segments', prefix)).toEqual(expected);
        expect((await store.entries('segments', prefix)).map(([key]) => key)).toEqual(expected);
      }
      expect(await store.keys('segments')).toHaveLength(keys.length);
    });

    test('it behaves as a map does, whatever the order of calls', async () => {
      const table = fc.constantFrom<StoreTable>('items', 'groups');
      const key = fc.constantFrom('a', 'a/1', 'a/2', 'b', '');
      const value = fc.option(fc.uint8Array({ maxLength: 20 }));
      const changes = fc.array(fc.record({ table, key, value }), { maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(fc.array(changes, { maxLength: 5 }), async (writes) => {
          const store = await open();
          const model = new Map<string, Uint8Array>();
          for (const write of writes) {
            await store.write(write.map((change) => ({ ...change, value: change.value && new Uint8Array(change.value) })));
            for (const change of write) {
              if (change.value) model.set(`${change.table} ${change.key}`, change.value);
              else model.delete(`${change.table} ${change.key}`);
            }
          }
          for (const name of ['items', 'groups'] as const) {
            const expected = [...model]
              .filter(([key]) => key.startsWith(`${name} `))
              .map(([key, bytes]) => [key.slice(name.length + 1), bytes]);
            expected.sort(([a], [b]) => byCodeUnit(a as string, b as string));
            const entries = await store.entries(name);
            expect(entries.map(([key, bytes]) => [key, [...bytes]])).toEqual(
              expected.map(([key, bytes]) => [key, [...(bytes as Uint8Array)]]),
            );
          }
          store.close();
        }),
        { numRuns: 20 },
      );
    });

    test('capacity: finite bytes', async () => {
      const { granted, used } = await (await open()).capacity();
      expect(granted).toBeGreaterThan(0);
      expect(Number.isFinite(granted)).toBe(true);
      expect(used).toBeGreaterThanOrEqual(0);
    });

    test('a closed store rejects everything with `closed`, and closes again', async () => {
      const store = await open();
      store.close();
      store.close();
      await expect(store.get('meta', 'k')).rejects.toMatchObject({ code: 'closed' });
      await expect(store.write([{ table: 'meta', key: 'k', value: null }])).rejects.toMatchObject({ code: 'closed' });
      await expect(store.update('meta', 'k', () => null)).rejects.toMatchObject({ code: 'closed' });
      await expect(store.entries('meta')).rejects.toMatchObject({ code: 'closed' });
      await expect(store.keys('meta')).rejects.toMatchObject({ code: 'closed' });
    });

    if (options.shared) {
      test('two opened under one name are one disk, also for updates', async () => {
        const name = `contract-shared-${++disks}`;
        const [one, two] = [await openNamed(name), await openNamed(name)];
        const count = (before: Bytes | null): Bytes => new Uint8Array([(before?.[0] ?? 0) + 1]);
        await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 ? one : two).update('meta', 'counter', count)));
        expect(await one.get('meta', 'counter')).toEqual(new Uint8Array([20]));
      });
    }
  });
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
