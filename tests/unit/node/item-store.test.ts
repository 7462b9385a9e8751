/** What a node keeps for others (docs/protocol.md, rules S). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import type { Signer, Store } from '../../../src/base/ports.ts';
import { encode } from '../../../src/base/schema.ts';
import { compareDistance, hashKey, type Key } from '../../../src/kademlia/key.ts';
import { createItemStore, type ItemStore } from '../../../src/node/item-store.ts';
import { type SignedEntry, topicKey, writeEntry } from '../../../src/records/entry.ts';
import { recordBodySchema, recordKey, type SignedRecord, writeRecord } from '../../../src/records/record.ts';
import { sign } from '../../../src/records/signed.ts';
import type { Device } from '../../../src/records/vector-clock.ts';
import type { Item } from '../../../src/wire/messages.ts';
import { type Bench, createBench } from './support/bench.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Setup {
  readonly bench: Bench;
  readonly disk: Store;
  readonly self: Key;
  readonly items: ItemStore;
}

function setup(limits?: { keys: number; bytes: number }, disk = createMemoryStore(1e9)): Setup {
  const bench = createBench();
  const self = bench.someone().contact.id;
  return {
    bench,
    disk,
    self,
    items: createItemStore({ store: disk, crypto: bench.crypto, clock: bench.clock, self, ...(limits && { limits }) }),
  };
}

const value = (text: string): Item => ({ type: 'value', bytes: fromUtf8(text) });
const keyOfValue = ({ bench }: Setup, text: string): Key => hashKey(bench.crypto, fromUtf8(text));
const putValue = (at: Setup, text: string): Promise<boolean> => at.items.put(keyOfValue(at, text), value(text));
const entryItem = ({ signed }: SignedEntry): Item => ({ type: 'entry', signed });
const recordItem = ({ signed }: SignedRecord): Item => ({ type: 'record', signed });

const device = (fill: number): Device => '0'.repeat(15).concat(String(fill)) as Device;

describe('a value', () => {
  test('[S1] is kept under its hash, and under nothing else', async () => {
    const at = setup();
    const key = keyOfValue(at, 'a');
    await putValue(at, 'a');
    expect(await at.items.find(key, 'value')).toEqual([value('a')]);
    expect(await at.items.find(key, 'record')).toEqual([]);
    expect(await at.bench.code(at.items.put(key, value('b')))).toBe('invalid');
    expect(await at.items.keys()).toEqual([{ key, want: 'value' }]);
  });

  test('[S12] goes 7 days after it was last published', async () => {
    const at = setup();
    await putValue(at, 'a');
    await at.bench.advance(6 * DAY);
    await putValue(at, 'a');
    await at.bench.advance(6 * DAY);
    await at.items.expire();
    expect((await at.items.keys()).length).toBe(1);
    await at.bench.advance(DAY);
    expect(await at.items.find(keyOfValue(at, 'a'), 'value')).toEqual([]);
    await at.items.expire();
    expect(await at.items.keys()).toEqual([]);
  });

  test('[S12] lives as long as who brings it says, 7 days at most; who brings it with less left does not shorten it', async () => {
    const at = setup();
    const key = keyOfValue(at, 'a');
    const life = async (): Promise<number | undefined> => (await at.items.all(key, 'value'))[0]?.life;
    await at.items.put(key, value('a'), { life: 5 * HOUR });
    expect(await life()).toBe(5 * HOUR);
    await at.items.put(key, value('a'), { life: HOUR });
    expect(await life()).toBe(5 * HOUR);
    await at.items.put(key, value('a'), { life: 30 * DAY });
    expect(await life()).toBe(7 * DAY);
  });

  test('[S15] a spare copy is given to who asks, not to who stores it again; a full one takes its place', async () => {
    const at = setup();
    const key = keyOfValue(at, 'a');
    expect(await at.items.put(key, value('a'), { life: HOUR, spare: true })).toBe(true);
    expect(await at.items.find(key, 'value')).toEqual([value('a')]);
    expect(await at.items.all(key, 'value')).toEqual([]);
    await at.items.put(key, value('a'), { life: 2 * HOUR });
    await at.items.put(key, value('a'), { life: HOUR, spare: true });
    expect(await at.items.all(key, 'value')).toEqual([{ item: value('a'), life: 2 * HOUR }]);
    await at.items.release(key, 'value', HOUR);
    expect(await at.items.all(key, 'value')).toEqual([]);
    expect(await at.items.find(key, 'value')).toEqual([value('a')]);
    await at.bench.advance(HOUR);
    expect(await at.items.find(key, 'value')).toEqual([]);
  });
});

describe('a record', () => {
  const write = (at: Setup, signer: Signer, text: string, previous: SignedRecord | null = null, now = at.bench.clock.now()) =>
    writeRecord({ signer, device: device(1), name: 'n', value: fromUtf8(text), now, previous });

  test('[S2] [S5] is kept under the key of its owner and name; the newer version stays', async () => {
    const at = setup();
    const { signer } = at.bench.someone();
    const key = recordKey(at.bench.crypto, signer.publicKey, 'n');
    const first = await write(at, signer, 'one');
    const second = await write(at, signer, 'two', first);
    await at.items.put(key, recordItem(second));
    await at.items.put(key, recordItem(first)); // older, and no error
    expect(await at.items.find(key, 'record')).toEqual([recordItem(second)]);
    const other = recordKey(at.bench.crypto, signer.publicKey, 'm');
    expect(await at.bench.code(at.items.put(other, recordItem(second)))).toBe('invalid');
  });

  test('[S2] [S6] is refused when forged, when malformed, and when its time is more than a day ahead', async () => {
    const at = setup();
    const { signer } = at.bench.someone();
    const key = recordKey(at.bench.crypto, signer.publicKey, 'n');
    const record = await write(at, signer, 'one');
    const forged: Item = { type: 'record', signed: { body: record.signed.body, signature: new Uint8Array(64) } };
    expect(await at.bench.code(at.items.put(key, forged))).toBe('invalid');
    expect(
      await at.bench.code(at.items.put(key, { type: 'record', signed: { body: new Uint8Array(9), signature: new Uint8Array(64) } })),
    ).toBe('invalid');
    const ahead = await write(at, signer, 'late', null, at.bench.clock.now() + DAY + 1);
    expect(await at.bench.code(at.items.put(key, recordItem(ahead)))).toBe('invalid');
    expect(await at.items.keys()).toEqual([]);
    await at.items.put(key, recordItem(await write(at, signer, 'soon', null, at.bench.clock.now() + DAY - 1)));
    expect((await at.items.keys()).length).toBe(1);
  });

  test('[S6] whose time contradicts its clock is refused', async () => {
    const at = setup();
    const { signer } = at.bench.someone();
    const key = recordKey(at.bench.crypto, signer.publicKey, 'n');
    const first = await write(at, signer, 'one');
    await at.items.put(key, recordItem(first));
    const [entry] = first.body.clock;
    if (!entry) throw new Error('A first version has a clock.');
    // Later by its clock, earlier by its time.
    const body = encode(recordBodySchema, { ...first.body, clock: [{ ...entry, counter: entry.counter + 1 }], time: first.body.time - 1 });
    const contradicting: Item = { type: 'record', signed: await sign(signer, 'kadreel/record/1', body) };
    expect(await at.bench.code(at.items.put(key, contradicting))).toBe('invalid');
    expect(await at.items.find(key, 'record')).toEqual([recordItem(first)]);
  });
});

describe('a set', () => {
  const topicOf = (at: Setup): Key => topicKey(at.bench.crypto, 't');
  const write = (at: Setup, signer: Signer, parts: { name?: string; time?: number; life?: number; size?: number; topic?: Key } = {}) => {
    const time = parts.time ?? at.bench.clock.now();
    const topic = parts.topic ?? topicOf(at);
    return writeEntry({
      signer,
      topic,
      name: parts.name ?? '',
      value: new Uint8Array(parts.size ?? 4),
      time,
      expires: time + (parts.life ?? HOUR),
    });
  };

  test('[S7] [S9] holds each writer’s latest of a name', async () => {
    const at = setup();
    const [a, b] = [at.bench.someone().signer, at.bench.someone().signer];
    const early = await write(at, a);
    await at.bench.advance(1_000);
    const late = await write(at, a);
    await at.bench.advance(1_000);
    const other = await write(at, b);
    for (const entry of [late, early, other]) await at.items.put(topicOf(at), entryItem(entry));
    expect(await at.items.find(topicOf(at), 'entries')).toEqual([entryItem(other), entryItem(late)]);
    expect(await at.items.find(topicOf(at), 'entries', other.body.time)).toEqual([entryItem(late)]);
  });

  test.each([
    ['under another topic', { topic: 'f'.repeat(40) as Key }, 'invalid'],
    ['that has expired', { time: -2 * HOUR }, 'invalid'],
    ['more than a day ahead', { time: DAY + 1 }, 'refused'],
  ] as const)('[S8] an entry %s is refused and leaves nothing behind', async (_, parts, code) => {
    const at = setup();
    const time = at.bench.clock.now() + ('time' in parts ? parts.time : 0);
    const entry = await write(at, at.bench.someone().signer, { ...parts, time });
    expect(await at.bench.code(at.items.put(topicOf(at), entryItem(entry)))).toBe(code);
    expect(await at.items.keys()).toEqual([]);
  });

  test('[S7] a forged entry is refused', async () => {
    const at = setup();
    const entry = await write(at, at.bench.someone().signer);
    const forged: Item = { type: 'entry', signed: { body: entry.signed.body, signature: new Uint8Array(64) } };
    expect(await at.bench.code(at.items.put(topicOf(at), forged))).toBe('invalid');
  });

  test('[S8] [S11] gives what has not expired, newest first, up to 12 KiB; all of it to who stores it again', async () => {
    const at = setup();
    for (let i = 0; i < 40; i++) {
      await at.bench.advance(1);
      await at.items.put(topicOf(at), entryItem(await write(at, at.bench.someone().signer, { size: 900, life: i < 5 ? HOUR : 2 * HOUR })));
    }
    const page = await at.items.find(topicOf(at), 'entries');
    expect(page.length).toBeGreaterThan(8);
    expect(page.length).toBeLessThan(14);
    expect((await at.items.all(topicOf(at), 'entries')).length).toBe(40);
    await at.bench.advance(HOUR);
    expect((await at.items.all(topicOf(at), 'entries')).length).toBe(35);
    await at.bench.advance(HOUR);
    expect(await at.items.find(topicOf(at), 'entries')).toEqual([]);
    await at.items.expire();
    expect(await at.items.keys()).toEqual([]);
  });

  test('two tabs on one disk that write at once lose nothing', async () => {
    const disk = createMemoryStore(1e9);
    const here = setup(undefined, disk);
    const there = createItemStore({ store: disk, crypto: here.bench.crypto, clock: here.bench.clock, self: here.self });
    const entries = await Promise.all(Array.from({ length: 20 }, () => write(here, here.bench.someone().signer)));
    await Promise.all(entries.map((entry, i) => (i % 2 ? here.items : there).put(topicOf(here), entryItem(entry))));
    expect((await here.items.all(topicOf(here), 'entries')).length).toBe(20);
  });
});

describe('a full store', () => {
  test('[S12] keeps what is nearest to this node, and refuses what is farther', async () => {
    const at = setup({ keys: 64, bytes: 1e9 });
    const texts = Array.from({ length: 400 }, (_, i) => `v${i}`);
    let refused = 0;
    for (const text of texts) await putValue(at, text).catch(() => refused++);
    const kept = new Set((await at.items.keys()).map(({ key }) => key));
    expect(kept.size).toBeLessThanOrEqual(64);
    expect(kept.size).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(50);
    const nearest = texts.map((text) => keyOfValue(at, text)).sort((a, b) => compareDistance(at.self, a, b));
    for (const key of nearest.slice(0, 40)) expect(kept).toContain(key);
  });

  test('is full by bytes as well, and storing one thing again counts once', async () => {
    const at = setup({ keys: 1_000, bytes: 20_000 });
    for (let i = 0; i < 50; i++) await putValue(at, 'x'.repeat(1_000));
    for (let i = 0; i < 300; i++) await putValue(at, `${i}`.padEnd(1_000)).catch(() => undefined);
    const rows = await at.disk.entries('items');
    const bytes = rows.reduce((sum, [, row]) => sum + row.length, 0);
    expect(bytes).toBeLessThanOrEqual(22_000);
    expect(bytes).toBeGreaterThan(15_000);
  });

  test('takes a new version of what it has', async () => {
    const at = setup({ keys: 8, bytes: 1e9 });
    for (let i = 0; i < 100; i++) await putValue(at, `${i}`).catch(() => undefined);
    for (let i = 0; i < 100; i++) {
      const key = keyOfValue(at, `${i}`);
      if ((await at.items.find(key, 'value')).length > 0) expect(await at.bench.code(putValue(at, `${i}`))).toBeNull();
    }
  });
});

describe('republishing', () => {
  test('[S12] is left to who stored a thing of late; a new entry says nothing of the others in its set', async () => {
    const at = setup();
    const key = keyOfValue(at, 'a');
    expect(at.items.storedAt(key, 'value')).toBeNull();
    const first = at.bench.clock.now();
    expect(await at.items.put(key, value('a'))).toBe(true);
    expect(at.items.storedAt(key, 'value')).toBe(first);
    await at.bench.advance(HOUR);
    expect(await at.items.put(key, value('a'))).toBe(false);
    expect(at.items.storedAt(key, 'value')).toBe(first + HOUR);
    expect(at.items.changedAt(key, 'value')).toBe(first);
    const topic = topicKey(at.bench.crypto, 't');
    const now = at.bench.clock.now();
    const entry = await writeEntry({
      signer: at.bench.someone().signer,
      topic,
      name: '',
      value: new Uint8Array(1),
      time: now,
      expires: now + DAY,
    });
    await at.items.put(topic, entryItem(entry));
    expect(at.items.storedAt(topic, 'entries')).toBeNull();
    expect(at.items.changedAt(topic, 'entries')).toBe(now);
    await at.items.put(topic, entryItem(entry));
    expect(at.items.storedAt(topic, 'entries')).toBe(now);
    await at.items.release(topic, 'entries', HOUR);
    expect(await at.items.find(topic, 'entries')).toEqual([]);
  });

  test('a disk that failed once does not stop the store', async () => {
    const disk = createMemoryStore(1e9);
    let broken = true;
    const flaky: Store = { ...disk, entries: (...from) => (broken ? Promise.reject(new Error('disk')) : disk.entries(...from)) };
    const at = setup(undefined, flaky);
    expect(await at.bench.code(putValue(at, 'a'))).not.toBeNull();
    broken = false;
    expect(await at.bench.code(putValue(at, 'a'))).toBeNull();
  });
});
