/** What was published, and what was taken off, is said again as long as it has to be. */
import { afterEach, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { createLibrary, videoRecordSchema } from '../../../src/app/library.ts';
import { createRenewal } from '../../../src/app/renewal.ts';
import { encode } from '../../../src/base/schema.ts';
import { ITEM_LIFE, REPUBLISH_INTERVAL } from '../../../src/records/expiry.ts';
import { openRecord, recordKey, writeRecord } from '../../../src/records/record.ts';
import { deviceOf } from '../../../src/records/vector-clock.ts';
import { type AppWorld, createAppWorld } from './app-world.ts';
import { createTestClock } from './test-clock.ts';

let world: AppWorld;
afterEach(() => world.close());

test('[M20] a video that was taken off is told of each hour for seven days, and then forgotten', async () => {
  world = createAppWorld(3);
  const account = world.crypto.signer({ bytes: (length) => new Uint8Array(length).fill(3), float: () => 0.5 });
  const clock = createTestClock();
  const told: number[] = [];
  const overlay = {
    async store(_key: unknown, item: { type: string }) {
      if (item.type === 'record') told.push(clock.now());
      return 3;
    },
  };
  const node = { overlay, links: () => [{}], onLinks: () => () => undefined };
  const { crypto } = world;
  const library = createLibrary({ store: createMemoryStore(1e6), crypto, account, node: node as never, now: clock.now });
  const name = 'video/00112233';
  const value = encode(videoRecordSchema, { manifest: null });
  const record = await writeRecord({ signer: account, device: deviceOf(new Uint8Array(8)), name, value, now: clock.now(), previous: null });
  const videoId = recordKey(crypto, account.publicKey, name);
  await library.withdraw({ videoId, record: record.signed });
  expect(openRecord((await library.withdrawn(videoId))?.record ?? record.signed)?.body.name).toBe(name);
  const renewal = createRenewal({ node: node as never, library, clock });
  const begun = clock.now();
  while (clock.now() < begun + ITEM_LIFE + 2 * REPUBLISH_INTERVAL) {
    clock.advance(REPUBLISH_INTERVAL / 2);
    await new Promise((resolve) => setImmediate(resolve));
  }
  renewal.close();
  expect(told.length).toBeGreaterThan(160);
  expect(Math.max(...told)).toBeLessThanOrEqual(begun + ITEM_LIFE);
  expect(await library.allWithdrawn()).toEqual([]);
});

test('what was changed or taken off while others had their turn is told of as it is then', async () => {
  world = createAppWorld(3);
  const clock = createTestClock();
  const told: string[] = [];
  const videos = new Map(['first', 'second', 'third'].map((videoId) => [videoId, { videoId, title: 'old' }]));
  const tell =
    (what: string) =>
    async ({ videoId, title }: { videoId: string; title: string }): Promise<number> => {
      told.push(`${what} ${videoId} ${title}`);
      videos.delete('second');
      videos.set('first', { videoId: 'first', title: 'new' });
      return 3;
    };
  const library = {
    allWithdrawn: async () => [],
    all: async () => [...videos.values()],
    get: async (videoId: string) => videos.get(videoId) ?? null,
    announce: tell('announced'),
    list: tell('listed'),
  };
  const node = { links: () => [{}], onLinks: () => () => undefined };
  const renewal = createRenewal({ node: node as never, library: library as never, clock });
  clock.advance(10_000);
  await expect.poll(() => told.at(-1)).toBe('listed first new');
  renewal.close();
  expect(told).toEqual(['announced third old', 'listed third old', 'announced first new', 'listed first new']);
});
