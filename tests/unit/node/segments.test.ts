/** Segments from this disk or from holders (design §8; docs/protocol.md, rules M). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { type EMPTY, toHex } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Store } from '../../../src/base/ports.ts';
import { deferred, quiet } from '../../../src/base/timing.ts';
import type { Key } from '../../../src/kademlia/key.ts';
import { segmentKey } from '../../../src/media/segment-key.ts';
import { createGroupStore } from '../../../src/node/group-store.ts';
import type { Holder } from '../../../src/node/holders.ts';
import type { FetchRequest, Link } from '../../../src/node/link.ts';
import { createSegments } from '../../../src/node/segments.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';
import { makeGroup, type TestGroup } from './support/make-group.ts';

/** How a holder behaves: sends after so many ms, something else, nothing, or a trickle of one byte a second. */
type Manner = number | 'corrupt' | 'silent' | 'trickle' | 'refuses' | 'unreachable';

const patient = new AbortController().signal;

function setup(manners: readonly Manner[], options: { disk?: Store; open?: boolean; quota?: number } = {}) {
  const bench = createBench();
  const group = makeGroup(1, [100_000, 50_000, 20_000]);
  const self = bench.someone();
  const groups = createGroupStore({
    store: options.disk ?? createMemoryStore(1e9),
    crypto: bench.crypto,
    clock: bench.clock,
    quota: () => options.quota ?? 1e9,
  });
  /** Whom a fetch was asked of, and which of them were cancelled. */
  const asked: number[] = [];
  const cancelled: number[] = [];
  const completed: Key[] = [];
  let lookups = 0;

  const serve = (index: number, manner: Manner) => (request: FetchRequest, at: NonNullable<Parameters<Link['fetch']>[1]>) => {
    asked.push(index);
    const bytes = group.segments[request.segment] as TestGroup['segments'][number];
    return new Promise<typeof bytes>((resolve, reject) => {
      at.signal?.addEventListener(
        'abort',
        () => {
          cancelled.push(index);
          reject(fail('aborted', 'Cancelled.'));
        },
        { once: true },
      );
      if (manner === 'refuses') reject(fail('not-found', 'Not kept.'));
      else if (manner === 'trickle') {
        const drip = (): void => {
          if (at.signal?.aborted) return;
          at.onBytes?.(1);
          bench.clock.after(1_000, drip);
        };
        drip();
      } else if (manner === 'corrupt') resolve(new Uint8Array(bytes.length));
      else if (typeof manner === 'number')
        bench.clock.after(manner, () => {
          at.onBytes?.(bytes.length);
          resolve(bytes);
        });
    });
  };
  const people = manners.map((manner, index) => {
    const { contact, storeId } = bench.someone(options.open ? `ws://${index}/` : null);
    const link = fakeLink({ contact, storeId, fetch: serve(index, manner), call: async () => ({ descriptor: group.encoded }) });
    const holder: Holder = { contact: { ...contact, open: null }, storeId: toHex(storeId), expires: bench.clock.now() + 1e9 };
    return { manner, link, holder };
  });
  const segments = createSegments({
    clock: bench.clock,
    crypto: bench.crypto,
    settings: DEFAULT_SETTINGS,
    groups,
    storeId: self.storeId,
    self: self.contact.id,
    async *holdersOf() {
      lookups++;
      for (const { holder } of people) yield holder;
    },
    async connect(contact) {
      const person = people.find(({ holder }) => holder.contact.id === contact.id);
      if (!person || person.manner === 'unreachable') throw fail('unreachable', 'No way there.');
      return person.link;
    },
    linked: (id) => people.find(({ link }) => link.id === id && !link.closed)?.link ?? null,
    onComplete: (key) => void completed.push(key),
  });
  const get = (segment: number, signal = patient) => quiet(segments.get({ group: group.key, segment, urgency: 0 }, signal));
  return { bench, group, groups, segments, get, asked, cancelled, completed, people, lookups: () => lookups };
}

describe('a segment', () => {
  test('comes from a holder once, then from this disk, and is counted once', async () => {
    const at = setup([50]);
    expect(await at.bench.run(at.get(0))).toEqual(at.group.segments[0]);
    expect(await at.bench.run(at.get(0))).toEqual(at.group.segments[0]);
    at.segments.readElsewhere({ group: at.group.key, segment: 0, bytes: 100_000 });
    expect(at.asked).toEqual([0]);
    expect(at.segments.received).toEqual({ store: 0, tabs: 100_000, openNodes: 0 });
    at.segments.readElsewhere({ group: at.group.key, segment: 1, bytes: 50_000 });
    at.segments.readElsewhere({ group: at.group.key, segment: 1, bytes: 50_000 });
    expect(at.segments.received.store).toBe(50_000);
    at.segments.countAnew();
    at.segments.readElsewhere({ group: at.group.key, segment: 1, bytes: 50_000 });
    expect(at.segments.received.store).toBe(100_000);
    for (const segment of [1, 2]) await at.bench.run(at.get(segment));
    expect(at.completed).toEqual([at.group.key]);
    await at.bench.advance(120_000);
    expect(at.bench.pending).toBe(0);
  });

  test('is given before the disk has it, to each who asks as bytes of its own', async () => {
    const memory = createMemoryStore(1e9);
    const opened = deferred<void>();
    const at = setup([50], { disk: { ...memory, write: async (changes) => opened.promise.then(() => memory.write(changes)) } });
    const [one, two] = [await at.bench.run(at.get(0)), await at.bench.run(at.get(0))];
    structuredClone(one, { transfer: [one.buffer] }); // as a page hands it to its service worker
    expect(two).toEqual(at.group.segments[0]);
    expect(at.asked).toEqual([0]);
    opened.resolve();
    await at.bench.advance(1);
    expect(await memory.get('segments', segmentKey(at.group.key, 0))).toEqual(at.group.segments[0]);
  });

  test('is counted by what the link says of who sent it, not by what its entry says', async () => {
    const at = setup([50], { open: true });
    await at.bench.run(at.get(0));
    expect(at.segments.received).toEqual({ store: 0, tabs: 0, openNodes: 100_000 });
  });

  test('[M2] with wrong bytes drops its holder; another one is asked', async () => {
    const at = setup(['corrupt', 50]);
    expect(await at.bench.run(at.get(0))).toEqual(at.group.segments[0]);
    expect(at.asked).toEqual([0, 1]);
    expect(at.segments.corrupt).toBe(1);
    expect(at.people[0]?.link.closed).toBe(true);
    await at.bench.run(at.get(1));
    expect(at.asked).toEqual([0, 1, 1]);
  });

  test('[M2] with a descriptor of another group is not even asked for', async () => {
    const at = setup([50]);
    const other = makeGroup(9, [10]);
    const outcome = at.segments.get({ group: other.key, segment: 0, urgency: 0 }, patient);
    expect(await at.bench.code(outcome)).toBe('corrupt');
    expect(at.asked).toEqual([]);
    expect(at.segments.corrupt).toBe(1);
  });

  test.each(['silent', 'trickle', 'unreachable', 'refuses'] as const)(
    'whose holder is “%s” comes from another one in time',
    async (manner) => {
      const at = setup([manner, 50]);
      const start = at.bench.clock.now();
      expect(await at.bench.run(at.get(0))).toEqual(at.group.segments[0]);
      expect(at.bench.clock.now() - start).toBeLessThanOrEqual(DEFAULT_SETTINGS.hedgeDelay + 100);
      await at.bench.advance(10);
      if (manner === 'silent' || manner === 'trickle') expect(at.cancelled).toContain(0);
    },
  );

  test('that is on its way is not asked of a second holder before 2 s; the first answer ends the other', async () => {
    const quick = setup([1_900, 10]);
    await quick.bench.run(quick.get(0));
    expect(quick.asked).toEqual([0]);
    const slow = setup([2_500, 2_000]);
    const start = slow.bench.clock.now();
    await slow.bench.run(slow.get(0));
    expect(slow.asked).toEqual([0, 1]);
    expect(slow.bench.clock.now() - start).toBe(2_500);
    await slow.bench.advance(10_000);
    expect(slow.cancelled).toContain(1);
    expect(slow.segments.received.tabs).toBe(100_000);
  });

  test('that nobody has, or nobody who can be reached, fails with the reason', async () => {
    const nobody = setup([]);
    expect(await nobody.bench.code(nobody.get(0))).toBe('not-found');
    const gone = setup(['unreachable', 'unreachable']);
    expect(await gone.bench.code(gone.get(0))).toBe('unreachable');
    expect(await gone.bench.code(gone.get(0))).toBe('unreachable');
    expect(gone.lookups()).toBe(1);
    const none = setup([10]);
    expect(await none.bench.code(none.get(7))).toBe('invalid');
  });

  test('that can’t be kept is played all the same, and the holder is not blamed', async () => {
    const disk = createMemoryStore(1e9);
    const broken: Store = { ...disk, write: () => Promise.reject(new Error('The disk is broken.')) };
    for (const at of [setup([10, 10], { disk: broken }), setup([10, 10], { quota: 10 })]) {
      for (let i = 0; i < 2; i++) expect(await at.bench.run(at.get(0))).toEqual(at.group.segments[0]);
      expect(at.asked).toEqual([0, 0]);
      expect(at.segments.corrupt).toBe(0);
    }
  });
});

describe('one transfer', () => {
  test('serves all who want the same segment, and ends with the last of them', async () => {
    const at = setup([5_000]);
    const aborts = [new AbortController(), new AbortController(), new AbortController()];
    const gets = aborts.map(({ signal }) => at.get(0, signal));
    await at.bench.advance(100);
    expect(at.asked).toEqual([0]);
    aborts[0]?.abort();
    expect(await at.bench.code(gets[0] as Promise<unknown>)).toBe('aborted');
    aborts[1]?.abort();
    expect(at.cancelled).toEqual([]);
    aborts[2]?.abort();
    await at.bench.advance(1);
    expect(at.cancelled).toEqual([0]);
    const again = at.get(0);
    await at.bench.run(again);
    expect(at.asked).toEqual([0, 0]);
    await at.bench.advance(120_000);
    expect(at.bench.pending).toBe(0);
  });

  test('is joined by who only wants it later; what is here is not fetched', async () => {
    const at = setup([1_000]);
    const request = { group: at.group.key, segment: 0, urgency: 30 };
    const ahead = at.segments.prefetch(request, patient);
    await at.bench.advance(10);
    await at.bench.run(at.get(0));
    await at.bench.run(ahead);
    await at.bench.run(at.segments.prefetch(request, patient));
    expect(at.asked).toEqual([0]);
  });

  test('needs the descriptor once, and none from others when it is on this disk', async () => {
    const at = setup([10]);
    expect((await at.bench.run(at.segments.descriptor(at.group.key, patient))).encoded).toEqual(at.group.encoded);
    expect(at.lookups()).toBe(1);
    const here = setup([]);
    const bytes = here.group.segments[0] as typeof EMPTY;
    await here.groups.put({ group: here.group.key, encoded: here.group.encoded, index: 0, bytes, role: 'own' });
    expect((await here.bench.run(here.segments.descriptor(here.group.key, patient))).descriptor).toEqual(here.group.descriptor);
    expect(here.lookups()).toBe(0);
  });
});
