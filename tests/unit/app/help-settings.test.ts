/** What a person chose about helping: kept, checked, and in use at once. */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { createHelpSettings, type HelpSettingsKeeper } from '../../../src/app/help-settings.ts';
import type { Store } from '../../../src/base/ports.ts';
import { boolean, encode, struct } from '../../../src/base/schema.ts';
import { createMemorySiblings } from './memory-siblings.ts';

const ROW = 'help-transcoding';
const USUAL = { on: false, slots: 1, checkShare: 0.05 };

/** As they are once the disk was read. */
async function open(store: Store, siblings = createMemorySiblings().tab()): Promise<HelpSettingsKeeper> {
  const keeper = createHelpSettings({ store, siblings });
  await new Promise<void>((resolve) => keeper.onChange(resolve));
  return keeper;
}

describe('settings of helping', () => {
  test('are the usual ones at first, and what was changed at the next start', async () => {
    const store = createMemoryStore(1e6);
    const keeper = await open(store);
    expect(keeper.current).toEqual(USUAL);
    let told = 0;
    keeper.onChange(() => told++);
    await keeper.change({ slots: 4 });
    await keeper.change({ on: true });
    await keeper.change({ checkShare: 0.25 });
    expect(told).toBe(3);
    expect(keeper.current).toEqual({ on: true, slots: 4, checkShare: 0.25 });
    expect((await open(store)).current).toEqual(keeper.current);
  });

  test('changes that come before the disk was read, and at once, all count', async () => {
    const store = createMemoryStore(1e6);
    await (await open(store)).change({ slots: 2 });
    const keeper = createHelpSettings({ store, siblings: createMemorySiblings().tab() });
    await Promise.all([keeper.change({ on: true }), keeper.change({ checkShare: 1 })]);
    expect(keeper.current).toEqual({ on: true, slots: 2, checkShare: 1 });
  });

  test('a change in one tab leaves what another tab changed', async () => {
    const store = createMemoryStore(1e6);
    const [one, other] = [await open(store), await open(store)];
    await one.change({ on: true });
    await other.change({ slots: 3 });
    expect((await open(store)).current).toEqual({ ...USUAL, on: true, slots: 3 });
  });

  test('a change in one tab is in use in the others, which are told', async () => {
    const [browser, store] = [createMemorySiblings(), createMemoryStore(1e6)];
    const [one, other] = [await open(store, browser.tab()), await open(store, browser.tab())];
    let told = 0;
    other.onChange(() => told++);
    await one.change({ on: true });
    await expect.poll(() => other.current).toEqual({ ...USUAL, on: true });
    expect(told).toBe(1);
  });

  test('of a version that had the switch alone are read', async () => {
    const store = createMemoryStore(1e6);
    await store.write([{ table: 'meta', key: ROW, value: encode(struct<{ on: boolean }>({ on: boolean }), { on: true }) }]);
    expect((await open(store)).current).toEqual({ ...USUAL, on: true });
  });

  test('that can not be read are the usual ones', async () => {
    const store = createMemoryStore(1e6);
    await store.write([{ table: 'meta', key: ROW, value: new Uint8Array([0xc1]) }]);
    expect((await open(store)).current).toEqual(USUAL);
    const closed = createMemoryStore(1e6);
    closed.close();
    expect((await open(closed)).current).toEqual(USUAL);
  });

  test.each([{ slots: 0 }, { slots: 1.5 }, { slots: 17 }, { checkShare: -0.1 }, { checkShare: 1.1 }, { checkShare: Number.NaN }])(
    'that make no sense are refused, and nothing changes: %o',
    async (changes) => {
      const keeper = await open(createMemoryStore(1e6));
      await expect(keeper.change(changes)).rejects.toMatchObject({ code: 'invalid' });
      expect(keeper.current).toEqual(USUAL);
    },
  );

  test('that a full disk does not take are not in use', async () => {
    const keeper = await open(createMemoryStore(0));
    await expect(keeper.change({ on: true })).rejects.toMatchObject({ code: 'quota' });
    expect(keeper.current).toEqual(USUAL);
  });
});
