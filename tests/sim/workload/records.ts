/** A record that two devices of one person write, and a set that many write to: what must be the same everywhere in the end. */
import { type Bytes, fromUtf8, toHex } from '../../../src/base/bytes.ts';
import type { Random, Signer } from '../../../src/base/ports.ts';
import type { Key } from '../../../src/kademlia/key.ts';
import { openEntries, openTermed, rowOf } from '../../../src/node/item-rows.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { topicKey, writeEntry } from '../../../src/records/entry.ts';
import { openRecord, recordKey, writeRecord } from '../../../src/records/record.ts';
import { type Device, deviceOf } from '../../../src/records/vector-clock.ts';
import type { Truth } from '../truth.ts';
import type { SimNode, World } from '../world.ts';

const HOUR = 3_600_000;
const NAME = 'profile';

/** Where they write. */
interface Ground {
  readonly world: World;
  readonly truth: Truth;
  readonly random: Random;
}

export interface Person {
  readonly key: Key;
  /** Reads the newest version at a tab, and stores one that follows it. Gives how many nodes took it. */
  write(at: SimNode, device: 0 | 1, text: string): Promise<number>;
  /** The version that a tab finds, as text that differs from that of every other version. */
  read(at: SimNode): Promise<string | null>;
  /** The version on each disk of the nodes that are up and that it belongs on: others may keep an older one until it expires. */
  replicas(): Promise<readonly string[]>;
}

export function createPerson({ world, truth, random }: Ground): Person {
  const signer = world.crypto.signer(random);
  const devices: readonly Device[] = [deviceOf(random.bytes(8)), deviceOf(random.bytes(8))];
  const key = recordKey(world.crypto, signer.publicKey, NAME);
  return {
    key,
    async write({ node }, device, text) {
      const previous = await node.overlay.findRecord(key, { settle: 'newest' });
      const record = await writeRecord({
        signer,
        device: devices[device] as Device,
        name: NAME,
        value: fromUtf8(text) as Bytes,
        now: world.scheduler.clock.now(),
        previous,
      });
      return node.overlay.store(key, { type: 'record', signed: record.signed });
    },
    async read({ node }) {
      const record = await node.overlay.findRecord(key, { settle: 'newest' });
      return record && toHex(record.signed.body);
    },
    async replicas() {
      const kept: string[] = [];
      for (const bytes of await rowsOf(world, truth, { row: rowOf('record', key), key })) {
        const row = openTermed('record', bytes, world.scheduler.clock.now());
        const record = row?.item.type === 'record' ? openRecord(row.item.signed) : null;
        if (record) kept.push(toHex(record.signed.body));
      }
      return kept;
    },
  };
}

export interface Topic {
  readonly key: Key;
  /** Somebody new writes an entry at a tab. */
  write(at: SimNode, name: string): Promise<number>;
  /** The names that a tab finds. */
  read(at: SimNode): Promise<ReadonlySet<string>>;
  /** The names on each disk of the nodes that are up and that it belongs on, as sorted text. */
  replicas(): Promise<readonly string[]>;
}

export function createTopic({ world, truth, random }: Ground, topic: string): Topic {
  const key = topicKey(world.crypto, topic);
  return {
    key,
    async write({ node }, name) {
      const signer: Signer = world.crypto.signer(random);
      const time = world.scheduler.clock.now();
      const { signed } = await writeEntry({ signer, topic: key, name, value: fromUtf8(name) as Bytes, time, expires: time + 24 * HOUR });
      return node.overlay.store(key, { type: 'entry', signed });
    },
    async read({ node }) {
      const names = new Set<string>();
      for await (const entry of node.overlay.findEntries(key)) names.add(entry.body.name);
      return names;
    },
    async replicas() {
      const rows = await rowsOf(world, truth, { row: rowOf('entries', key), key });
      return rows.map((bytes) => namesIn(bytes).join());
    },
  };
}

/** A row on the disks of the nodes nearest to its key, where it is there. */
async function rowsOf(world: World, truth: Truth, { row, key }: { row: string; key: Key }): Promise<readonly Bytes[]> {
  const near = new Set(truth.nearest(key, DEFAULT_SETTINGS.k));
  const rows = await Promise.all(world.nodes.map((one) => (one.up && near.has(one.id) ? one.store.get('items', row) : null)));
  return rows.filter((bytes) => bytes !== null);
}

function namesIn(bytes: Bytes): readonly string[] {
  return openEntries(bytes)
    .map(({ body }) => body.name)
    .sort();
}
