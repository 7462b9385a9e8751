/** What this node made, and what nodes say of what came out (docs/protocol.md, J12 and J13). */
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/base/bytes.ts';
import type { Key } from '../../../src/kademlia/key.ts';
import { decodeGroup } from '../../../src/media/group.ts';
import { madeTopic, packMade } from '../../../src/media/lower-quality.ts';
import type { GroupDescriptor } from '../../../src/media/manifest.ts';
import type { TranscodeJob } from '../../../src/media/transcode-job.ts';
import { createMadeGroups } from '../../../src/node/made-groups.ts';
import { createMadeMemory } from '../../../src/node/made-memory.ts';
import { openEntry, type SignedEntry } from '../../../src/records/entry.ts';
import { MAX_ENTRY_LIFE } from '../../../src/records/expiry.ts';
import type { Item } from '../../../src/wire/messages.ts';
import { syntheticSource } from '../media/synthetic-video.ts';
import { makeSigner } from '../support/make-signer.ts';
import { createBench } from './support/bench.ts';

const { sources } = syntheticSource(12);
const jobOf = (n: number, height = 360): TranscodeJob => ({
  ...(sources[n] as (typeof sources)[number]),
  ...{ width: 640, height, bitrate: 850_000, rate: 30_000 },
});
/** What the jobs' sources are of, as far as so many of them. */
const sourceOf = (count: number): GroupDescriptor => ({
  segments: sources.slice(0, count).map(({ digest, size }) => ({ digest, size, duration: 4_000 })),
});
const INIT = new Uint8Array(30).fill(7);
const bytes = (fill: number, size = 100): Bytes => new Uint8Array(size).fill(fill);

describe('[J12] the topic of what is made', () => {
  test('is the same for all jobs on a group, and another for another group, source or quality', () => {
    const { crypto } = createBench();
    const topic = madeTopic(crypto, jobOf(0));
    expect(madeTopic(crypto, jobOf(2))).toBe(topic);
    const others = [{ height: 240 }, { bitrate: 1 }, { rate: 25_000 }, { init: INIT }, { group: 'ab'.repeat(20) as Key }];
    const topics = others.map((change) => madeTopic(crypto, { ...jobOf(0), ...change }));
    expect(new Set([topic, ...topics]).size).toBe(6);
  });
});

describe('what was made here of late', () => {
  const groupOf = async (made: readonly Bytes[], { header = INIT, duration = 4_000 } = {}): Promise<GroupDescriptor> => {
    const { crypto } = createBench();
    const pieces = await Promise.all([...made, header].map(async (one) => ({ bytes: one, digest: await crypto.digest(one) })));
    const packed = packMade(crypto, {
      segments: pieces.slice(0, -1),
      init: pieces.at(-1) as (typeof pieces)[number],
      durations: made.map(() => duration),
    });
    return decodeGroup(packed?.encoded as Bytes) as GroupDescriptor;
  };

  test('[J13] is there by its hash, and tells what a group is made of; two things in one group are none', async () => {
    const { crypto } = createBench();
    const memory = createMadeMemory({ crypto });
    await memory.note(jobOf(0), { init: INIT, bytes: bytes(1) }, sourceOf(2));
    await memory.note(jobOf(1, 240), { init: bytes(8), bytes: bytes(3) }, sourceOf(2));
    expect(memory.get(await crypto.digest(bytes(1)))).toEqual(bytes(1));
    expect(memory.get(await crypto.digest(INIT))).toEqual(INIT);
    expect(memory.get(await crypto.digest(bytes(2)))).toBeNull();
    await memory.note(jobOf(1), { init: INIT, bytes: bytes(4) }, sourceOf(2));
    expect(memory.topicOf(await groupOf([bytes(1), bytes(4)]))).toBe(madeTopic(crypto, jobOf(0)));
    expect(memory.topicOf(await groupOf([bytes(1), bytes(2)])), 'somebody else made a part').toBeNull();
    expect(memory.topicOf(await groupOf([bytes(2)])), 'the header alone says nothing').toBeNull();
    expect(memory.topicOf(await groupOf([bytes(1), bytes(3)]))).toBeNull();
  });

  test('[J12] is called what came out of a group only in its place, as a whole, with its own header and times', async () => {
    const { crypto } = createBench();
    const memory = createMadeMemory({ crypto });
    const [one, two, three] = [bytes(1), bytes(2), bytes(3)];
    for (const [n, made] of [one, two, three].entries()) await memory.note(jobOf(n), { init: INIT, bytes: made }, sourceOf(3));
    expect(memory.topicOf(await groupOf([one, two, three]))).toBe(madeTopic(crypto, jobOf(0)));
    for (const pieces of [[two, one, three], [one, one, three], [one, two], [one, two, three, three], [], [INIT]])
      expect(memory.topicOf(await groupOf(pieces))).toBeNull();
    expect(memory.topicOf(await groupOf([one, two, three], { header: bytes(9) })), 'nobody made that header').toBeNull();
    await memory.note(jobOf(0, 240), { init: bytes(8), bytes: bytes(4) }, sourceOf(3));
    expect(memory.topicOf(await groupOf([one, two, three], { header: bytes(8) })), 'another quality’s header').toBeNull();
    expect(memory.topicOf(await groupOf([one, two, three], { header: two })), 'a piece as the header').toBeNull();
    expect(memory.topicOf(await groupOf([one, two, three], { duration: 3_000 }))).toBeNull();
  });

  test('[J12] is not called so where only who asked said what it was made of, or how long it lasts', async () => {
    const { crypto } = createBench();
    const memory = createMadeMemory({ crypto });
    await memory.note(jobOf(0), { init: INIT, bytes: bytes(1) }, null);
    expect(memory.get(await crypto.digest(bytes(1)))).toEqual(bytes(1));
    expect(memory.topicOf(await groupOf([bytes(1)]))).toBeNull();
    await memory.note({ ...jobOf(0), end: 5_000_000 }, { init: INIT, bytes: bytes(2) }, sourceOf(1));
    expect(memory.topicOf(await groupOf([bytes(2)]))).toBeNull();
    await memory.note(jobOf(0), { init: INIT, bytes: bytes(1) }, sourceOf(1));
    await memory.note(jobOf(0), { init: INIT, bytes: bytes(1) }, null);
    expect(memory.topicOf(await groupOf([bytes(1)])), 'what was known stays known').toBe(madeTopic(crypto, jobOf(0)));
  });

  test('is forgotten, the oldest first, when it takes too much', async () => {
    const { crypto } = createBench();
    const memory = createMadeMemory({ crypto, most: 350 });
    for (let n = 0; n < 5; n++) await memory.note(jobOf(n % 3), { init: INIT, bytes: bytes(n) }, sourceOf(3));
    const there = await Promise.all([0, 1, 2, 3, 4].map(async (n) => memory.get(await crypto.digest(bytes(n))) !== null));
    expect(there).toEqual([false, false, true, true, true]);
  });
});

describe('[J12] words on what came out', () => {
  async function setup() {
    const bench = createBench();
    const entries: SignedEntry[] = [];
    const overlay = {
      async *findEntries(topic: Key) {
        for (const entry of entries) if (entry.body.topic === topic) yield entry;
      },
      async store(_key: Key, item: Item) {
        const entry = item.type === 'entry' ? openEntry(item.signed) : null;
        if (entry) entries.push(entry);
        return 1;
      },
    };
    const nodes = await Promise.all([1, 2, 3].map((seed) => makeSigner(seed)));
    return { bench, entries, made: nodes.map((signer) => createMadeGroups({ ...bench, signer, overlay })) };
  }
  const [TOPIC, ONE, TWO] = ['1'.repeat(40), '2'.repeat(40), '3'.repeat(40)] as [Key, Key, Key];
  const { signal } = new AbortController();

  test('are counted by writer, those of most first; the latest of a writer counts, and may take it back', async () => {
    const { bench, made, entries } = await setup();
    const [a, b, c] = made as [(typeof made)[number], (typeof made)[number], (typeof made)[number]];
    await a.vouch(TOPIC, ONE);
    await b.vouch(TOPIC, TWO);
    await c.vouch(TOPIC, TWO);
    const claims = await a.find(TOPIC, signal);
    expect(claims.map(({ group, by }) => [group, by.length])).toEqual([
      [TWO, 2],
      [ONE, 1],
    ]);
    await bench.advance(1_000);
    await b.vouch(TOPIC, ONE);
    await bench.advance(1_000);
    await c.vouch(TOPIC, null);
    entries.reverse(); // whatever order they come in
    expect((await a.find(TOPIC, signal)).map(({ group, by }) => [group, by.length])).toEqual([[ONE, 2]]);
    for (const { body } of entries) expect(body.expires - body.time).toBe(MAX_ENTRY_LIFE);
    expect(await a.find(ONE, signal)).toEqual([]);
  });
});
