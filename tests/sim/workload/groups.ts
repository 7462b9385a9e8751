/**
 * Groups of media with tiny segments that stand for a usual size: one video of one group each, published by random tabs. What copying costs is counted in
 * copies, and said in the bytes that they stand for.
 */
import type { Random } from '../../../src/base/ports.ts';
import { encode } from '../../../src/base/schema.ts';
import { hashKey, type Key } from '../../../src/kademlia/key.ts';
import { groupDescriptorSchema } from '../../../src/media/manifest.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { mean } from '../figures.ts';
import type { SimNode, World } from '../world.ts';
import { anyTab } from './pick.ts';
import { settleAll } from './settle.ts';

/** Bytes that one group stands for: 40 s of a good rendition. */
export const NOMINAL_GROUP = 10e6;

export interface GroupFigures {
  readonly asked: number;
  /** A tab was told of a holder that is there and has all of it. */
  readonly found: number;
}

export interface Census {
  /** Disks whose tab is up that hold a group wholly, in the mean. */
  readonly copies: number;
  /** Groups that nobody who is up holds, and groups that nobody holds who will be up again. */
  readonly away: number;
  readonly lost: number;
}

export interface Groups {
  readonly keys: readonly Key[];
  /** Publishes so many new ones: kept by the publisher, told to the network, and spread. Gives the mean of the copies besides the publisher's. */
  publish(count: number): Promise<number>;
  /** Looks for the holders of every group, each from another random tab. */
  probe(rate?: number): Promise<GroupFigures>;
  /** Looks on all disks, also on those of the nodes that are down and remembered by the world. */
  census(): Promise<Census>;
}

/** Bytes that a group really has. */
export const SEGMENT_BYTES = 1024;
const SEGMENT_MS = 40_000;
/** Virtual ms in which publishing and finding must end. */
const PATIENCE = 600_000;

export function createGroups(world: World, random: Random): Groups {
  const { scheduler } = world;
  const keys: Key[] = [];

  const publishOne = async ({ node }: SimNode): Promise<number> => {
    const bytes = random.bytes(SEGMENT_BYTES);
    const digest = world.crypto.hash(bytes);
    const encoded = encode(groupDescriptorSchema, { segments: [{ digest, size: bytes.length, duration: SEGMENT_MS }] });
    const key = hashKey(world.crypto, encoded);
    keys.push(key);
    await node.groups.put({ group: key, encoded, index: 0, bytes, role: 'own' });
    await node.announce(key);
    return node.copies.spread(key, { wanted: DEFAULT_SETTINGS.copies, signal: new AbortController().signal });
  };

  const probeOne = async (key: Key): Promise<boolean> => {
    const asking = anyTab(world, random);
    const holders = await asking.node.segments.locate(key, new AbortController().signal).catch(() => []);
    const ids = new Set(holders.map(({ contact }) => contact.id));
    for (const one of world.nodes) {
      if (one.up && (ids.has(one.id) || one === asking) && (await one.node.groups.get(key))?.complete) return true;
    }
    return !asking.up;
  };

  return {
    keys,
    async publish(count) {
      const works: Promise<number>[] = [];
      for (let i = 0; i < count; i++) {
        works.push(publishOne(anyTab(world, random)));
        await scheduler.advance(100);
      }
      return mean(await settleAll(world, works, { what: 'publications', patience: PATIENCE }));
    },
    async probe(rate = 20) {
      const works: Promise<boolean>[] = [];
      for (const key of keys) {
        works.push(probeOne(key));
        await scheduler.advance(1000 / rate);
      }
      const outcomes = await settleAll(world, works, { what: 'searches', patience: PATIENCE });
      return { asked: outcomes.length, found: outcomes.filter(Boolean).length };
    },
    async census() {
      const [up, anywhere] = [new Map<Key, number>(), new Set<Key>()];
      for (const one of world.nodes) {
        for (const { key, complete } of await one.node.groups.list()) {
          if (!complete) continue;
          anywhere.add(key);
          if (one.up) up.set(key, (up.get(key) ?? 0) + 1);
        }
      }
      return {
        copies: mean(keys.map((key) => up.get(key) ?? 0)),
        away: keys.filter((key) => !up.has(key)).length,
        lost: keys.filter((key) => !anywhere.has(key)).length,
      };
    },
  };
}
