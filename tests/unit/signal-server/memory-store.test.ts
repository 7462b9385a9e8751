import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';

const VALUE = new Uint8Array(1000);

describe('a full memory store', () => {
  test('refuses with `quota`, and nothing of that write is there', async () => {
    const store = createMemoryStore(5000);
    for (const key of ['a', 'b', 'c']) await store.write([{ table: 'items', key, value: VALUE }]);
    const tooMuch = [
      { table: 'items', key: 'a', value: null },
      { table: 'items', key: 'd', value: VALUE },
      { table: 'items', key: 'e', value: new Uint8Array(3000) },
    ] as const;
    await expect(store.write(tooMuch)).rejects.toMatchObject({ code: 'quota' });
    expect(await store.keys('items')).toEqual(['a', 'b', 'c']);
    await expect(store.update('items', 'a', () => new Uint8Array(9000))).rejects.toMatchObject({ code: 'quota' });
    expect(await store.get('items', 'a')).toEqual(VALUE);
  });

  test('takes what replaces as much as it brings, and goes on after something was deleted', async () => {
    const store = createMemoryStore(2500);
    await store.write([{ table: 'items', key: 'a', value: VALUE }]);
    await store.write([{ table: 'items', key: 'b', value: VALUE }]);
    await store.write([
      { table: 'items', key: 'a', value: null },
      { table: 'items', key: 'c', value: VALUE },
    ]);
    await expect(store.write([{ table: 'items', key: 'd', value: VALUE }])).rejects.toMatchObject({ code: 'quota' });
    await store.write([{ table: 'items', key: 'b', value: null }]);
    await store.write([{ table: 'items', key: 'd', value: VALUE }]);
    expect(await store.keys('items')).toEqual(['c', 'd']);
    expect((await store.capacity()).used).toBeLessThanOrEqual(2500);
  });

  test('many tiny entries count too', async () => {
    const store = createMemoryStore(10_000);
    let written = 0;
    const fill = async (): Promise<void> => {
      for (; written < 1000; written++) await store.write([{ table: 'meta', key: `k${written}`, value: new Uint8Array(0) }]);
    };
    await expect(fill()).rejects.toMatchObject({ code: 'quota' });
    expect(written).toBeLessThan(60);
  });
});
