/** One group of a lower quality on a real disk, with helpers that are made up (docs/protocol.md, J11 to J14). */
import { afterEach, describe, expect, test } from 'vitest';
import { createLowerPart, type LowerPart, type LowerPartOptions } from '../../../src/app/lower-part.ts';
import { type Bytes, equal } from '../../../src/base/bytes.ts';
import { wait } from '../../../src/base/timing.ts';
import { type Key, keyOf } from '../../../src/kademlia/key.ts';
import { seededRandom } from '../../sim/random.ts';
import { type AppWorld, createAppWorld, type Tab } from './app-world.ts';

let world: AppWorld;
afterEach(() => world.close());

const SIGNAL = new AbortController().signal;
const HEADER = new Uint8Array(9).fill(9);
const SOURCE = keyOf(new Uint8Array(20).fill(3));
const DURATIONS = [4_000, 4_000, 4_000];
const right = (n: number): Bytes => new Uint8Array(50).fill(n);
const wrong = (n: number): Bytes => new Uint8Array(50).fill(100 + n);
/** To say something to the network (ms). */
const SAYING = 3_000;

interface Scene {
  readonly tab: Tab;
  readonly part: LowerPart;
  /** What this node said of what came out; null where it took that back. */
  readonly said: (Key | null)[];
  give(n: number, bytes: Bytes): void;
  read(n: number): Promise<Bytes | null>;
}

/** A group of which nobody has made anything, ready to be made. */
async function scene(work: Partial<LowerPartOptions['work']> = {}): Promise<Scene> {
  world = createAppWorld(5);
  const tab = world.tab();
  const said: (Key | null)[] = [];
  const source = { descriptor: { segments: DURATIONS.map((duration) => ({ duration, size: 1, digest: new Uint8Array(32) })) } };
  const { segments } = tab.node;
  const part = createLowerPart({
    ...{ clock: world.scheduler.clock, random: seededRandom(1), crypto: world.crypto, init: HEADER, first: 0, start: 0, signal: SIGNAL },
    node: {
      ...tab.node,
      segments: {
        ...segments,
        descriptor: (key, signal) =>
          key === SOURCE ? Promise.resolve({ ...source, encoded: new Uint8Array() }) : segments.descriptor(key, signal),
      },
      made: {
        find: () => Promise.resolve([]),
        async vouch(_, group) {
          await wait(world.scheduler.clock, SAYING);
          return said.push(group);
        },
      },
    },
    quality: { name: '360p', source: 0, width: 640, height: 360, bitrate: 1, rate: 30_000 } as LowerPartOptions['quality'],
    group: { key: SOURCE, durations: DURATIONS },
    problemOf: () => Promise.resolve(null),
    takeHeader: () => true,
    header: () => HEADER,
    work: { canMake: () => false, allow: () => undefined, isProved: () => true, makers: () => [], forget: () => undefined, ...work },
    onChange: () => undefined,
  });
  await world.run(part.open());
  return {
    ...{ tab, part, said },
    give: (n, bytes) => void part.made(n, { init: HEADER, bytes }),
    read: (n) => world.run(part.read(n, SIGNAL)),
  };
}

/** All of it is there, and kept. */
async function kept(pieceOf: (n: number) => Bytes, work: Partial<LowerPartOptions['work']> = {}): Promise<Scene> {
  const own = await scene(work);
  for (const n of DURATIONS.keys()) own.give(n, pieceOf(n));
  await world.pass(10);
  await world.run(own.part.keep());
  expect([own.part.has(0), own.part.held]).toEqual([true, 0]);
  return own;
}

describe('[J11] a helper that lied about pieces of a group that is kept already', () => {
  const liesAbout =
    (...lies: readonly number[]) =>
    (n: number) =>
      lies.includes(n) ? wrong(n) : right(n);

  test('none of its pieces comes back, whatever else it made', async () => {
    const { part, give, read, said } = await kept(liesAbout(0, 2));
    const [before] = said;
    // The caught one's pieces are dropped in one go.
    const dropping = [part.dropped(0), part.dropped(2)];
    await world.run(Promise.all(dropping));
    expect(part.missing().map(({ segment }) => segment)).toEqual([0, 2]);
    expect([part.has(0), part.has(1), part.has(2)]).toEqual([false, true, false]);
    for (const n of [0, 2]) give(n, right(n));
    await world.run(part.keep());
    for (const n of DURATIONS.keys()) expect(equal((await read(n)) ?? new Uint8Array(), right(n)), `segment ${n}`).toBe(true);
    expect(said.slice(0, 2)).toEqual([before, null]);
    expect(said.at(-1)).not.toBe(before);
    expect(said.at(-1)).not.toBeNull();
  });

  test('its only one is gone at once, not when the network has heard of it', async () => {
    const { part } = await kept(liesAbout(1));
    void part.dropped(1);
    for (let ms = 0; ms < 2 * SAYING; ms += 100) {
      await world.pass(100);
      expect([part.has(1), part.held]).toEqual([false, 2]);
    }
  });

  test('what the disk can’t give back is made anew', async () => {
    const forgotten: Key[] = [];
    const { part, tab } = await kept(liesAbout(1), { forget: (group) => forgotten.push(group) });
    tab.node.groups.segment = () => Promise.reject(new Error('The disk is broken.'));
    await world.run(part.dropped(1));
    expect(part.missing().map(({ segment }) => segment)).toEqual([0, 1, 2]);
    expect(forgotten).toEqual([SOURCE]);
  });
});
