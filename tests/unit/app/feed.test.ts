/** Lists of videos as cards, with honest and with hostile tabs. */
import { afterEach, describe, expect, test } from 'vitest';
import { listingSchema } from '../../../src/app/library.ts';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { encode } from '../../../src/base/schema.ts';
import { hashKey, type Key } from '../../../src/kademlia/key.ts';
import { topicKey, writeEntry } from '../../../src/records/entry.ts';
import { recordKey } from '../../../src/records/record.ts';
import { type AppWorld, createAppWorld, type Tab } from './app-world.ts';
import { fakeFile, POSTER } from './fake-transcoder.ts';

const SIGNAL = new AbortController().signal;
const HOUR = 3_600_000;
let world: AppWorld;

afterEach(() => world.close());

/** An open node and so many tabs, all joined. */
async function tabs(count: number): Promise<Tab[]> {
  world.openNode();
  const all = Array.from({ length: count }, () => world.tab());
  await world.pass(5_000);
  return all;
}

interface FalseListing {
  readonly videoId?: Key;
  readonly title?: string;
  readonly duration?: number;
  readonly created?: number;
  readonly poster?: Key | null;
  readonly value?: Uint8Array<ArrayBuffer>;
}

/** Lists under the newest whatever is wanted; the video's id is the tab's own unless another one is given. */
async function listFalsely(tab: Tab, name: string, fields: FalseListing): Promise<Key> {
  const now = world.scheduler.clock.now();
  const own = recordKey(world.crypto, tab.account.publicKey, name);
  const listing = { videoId: own, title: name, duration: 1, created: now, poster: null, ...fields };
  const topic = topicKey(world.crypto, 'newest');
  const value = fields.value ?? encode(listingSchema, listing);
  const entry = await writeEntry({ signer: tab.account, topic, name, value, time: now, expires: now + HOUR });
  await world.run(tab.node.overlay.store(topic, { type: 'entry', signed: entry.signed }));
  return own;
}

describe('the newest videos', () => {
  test('are seen by everybody, newest first, with their picture', async () => {
    world = createAppWorld(20);
    const [first, second, third] = (await tabs(3)) as [Tab, Tab, Tab];
    const a = await world.run(first.app.publish(fakeFile(1), { title: 'Sea' }));
    await world.pass(1_000);
    const b = await world.run(second.app.publish(fakeFile(2), { title: 'Hills' }));
    const cards = await world.run(third.app.newest(SIGNAL));
    expect(cards.map(({ videoId, title }) => [videoId, title])).toEqual([
      [b.videoId, 'Hills'],
      [a.videoId, 'Sea'],
    ]);
    expect(cards[0]).toMatchObject({ duration: 48, poster: `data:image/jpeg;base64,${btoa(String.fromCharCode(...POSTER))}` });
    expect(await world.run(first.app.mine())).toEqual([cards[1]]);
  });

  test('wait for the first link, and are what this disk knows without one', async () => {
    world = createAppWorld(21);
    const [publisher] = (await tabs(1)) as [Tab];
    await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea' }));
    const early = world.tab();
    expect(await world.run(early.app.newest(SIGNAL))).toHaveLength(1);
    world.close();
    world = createAppWorld(22);
    const alone = world.tab();
    await world.run(alone.app.publish(fakeFile(1), { title: 'Sea' }));
    expect(await world.run(alone.app.newest(SIGNAL))).toHaveLength(1);
  });

  test('reject when the signal fires', async () => {
    world = createAppWorld(23);
    const abort = new AbortController();
    const listing = world.tab().app.newest(abort.signal);
    abort.abort();
    await expect(world.run(listing)).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('a listing that is hostile', () => {
  test('of somebody else’s video is not shown, and does not hide the true one', async () => {
    world = createAppWorld(24);
    const [publisher, liar, reader] = (await tabs(3)) as [Tab, Tab, Tab];
    const { videoId } = await world.run(publisher.app.publish(fakeFile(1), { title: 'Sea' }));
    await world.pass(1_000);
    await listFalsely(liar, videoId, { videoId, title: 'Not the sea' });
    await listFalsely(liar, 'video/1', { videoId, title: 'Not the sea' });
    await listFalsely(liar, 'video/2', { videoId: recordKey(world.crypto, publisher.account.publicKey, 'video/2'), title: 'Never made' });
    expect((await world.run(reader.app.newest(SIGNAL))).map(({ title }) => title)).toEqual(['Sea']);
  });

  test('with a time to come is not newer than now', async () => {
    world = createAppWorld(25);
    const [liar, reader] = (await tabs(2)) as [Tab, Tab];
    await listFalsely(liar, 'video/1', { created: world.scheduler.clock.now() + 1_000 * HOUR });
    await listFalsely(liar, 'video/2', { created: Number.MAX_SAFE_INTEGER });
    const cards = await world.run(reader.app.newest(SIGNAL));
    expect(cards).toHaveLength(2);
    for (const card of cards) expect(card.created).toBeLessThanOrEqual(world.scheduler.clock.now());
  });

  test('with a duration of 49 days and no title has a card like others', async () => {
    world = createAppWorld(26);
    const [liar, reader] = (await tabs(2)) as [Tab, Tab];
    await listFalsely(liar, 'video/1', { duration: 0xffff_ffff, title: ' \u3000 ' });
    expect(await world.run(reader.app.newest(SIGNAL))).toMatchObject([{ title: 'Untitled', duration: 4_294_967.295, poster: null }]);
  });

  test('that is no listing is left out', async () => {
    world = createAppWorld(27);
    const [liar, reader] = (await tabs(2)) as [Tab, Tab];
    await listFalsely(liar, 'video/1', { value: fromUtf8('nonsense') });
    await listFalsely(liar, 'video/2', { value: new Uint8Array(0) });
    expect(await world.run(reader.app.newest(SIGNAL))).toEqual([]);
  });

  test.each([
    ['is a page', fromUtf8('<svg onload=alert(1)>')],
    ['is empty', new Uint8Array(0)],
    ['only begins like WebP', fromUtf8('RIFF....WAVE')],
  ])('whose picture %s gets none', async (_, bytes) => {
    world = createAppWorld(28);
    const [liar, reader] = (await tabs(2)) as [Tab, Tab];
    const poster = hashKey(world.crypto, bytes);
    await world.run(liar.node.overlay.store(poster, { type: 'value', bytes }));
    await listFalsely(liar, 'video/1', { poster });
    expect(await world.run(reader.app.newest(SIGNAL))).toMatchObject([{ poster: null }]);
  });

  test('whose picture nobody has does not hold the others back for long', async () => {
    world = createAppWorld(29);
    const [liar, reader] = (await tabs(2)) as [Tab, Tab];
    await listFalsely(liar, 'video/1', { poster: hashKey(world.crypto, fromUtf8('nowhere')) });
    const before = world.scheduler.clock.now();
    expect(await world.run(reader.app.newest(SIGNAL))).toHaveLength(1);
    expect(world.scheduler.clock.now() - before).toBeLessThan(4_000);
  });
});
