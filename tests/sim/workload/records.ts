/** A record that two devices of one person write, and a set that many write to: what must be the same everywhere in the end. */
import { type Bytes, fromUtf8, toHex } from '../../../src/base/bytes.ts';
import type { Random, Signer } from '../../../src/base/ports.ts';
import type { Key } from '../../../src/kademlia/key.ts';
import { openEntries, openTermed, rowOf } from '../../../src/node/item-rows.ts';
import { topicKey, writeEntry } from '../../../src/records/entry.ts';
import { openRecord, recordKey, writeRecord } from '../../../src/records/record.ts';
import { type Device, deviceOf } from '../../../src/records/vector-clock.ts';
import type { SimNode, World } from '../world.ts';

const HOUR = 3_600_000;
const NAME = 'profile';

export interface Person {
  readonly key: Key;
  /** Reads the newest version at a tab, and stores one that follows it. Gives how many nodes took it. */
  write(at: SimNode, device: 0 | 1, text: string): Promise<number>;
  /** The version that a tab finds, as text that differs from that of every other version. */
  read(at: SimNode): Promise<string | null>;
  /** The version on each disk that it belongs on, of the nodes that are up. */
  replicas(): Promise<ReadonlyMap<SimNode, string>>;
}

export function createPerson(world: World, random: Random): Person {
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
      const kept = new Map<SimNode, string>();
      for (const one of world.nodes) {
        const bytes = one.up ? await one.store.get('items', rowOf('record', key)) : null;
        const row = bytes && openTermed('record', bytes, world.scheduler.clock.now());
        const record = row?.item.type === 'record' ? openRecord(row.item.signed) : null;
        // A spare copy is one that somebody read: it is given away for a while and then forgotten.
        if (record && !row?.spare) kept.set(one, toHex(record.signed.body));
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
  /** The names on each disk of the nodes that are up. */
  replicas(): Promise<ReadonlyMap<SimNode, ReadonlySet<string>>>;
}

export function createTopic(world: World, random: Random, topic: string): Topic {
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
      const kept = new Map<SimNode, ReadonlySet<string>>();
      for (const one of world.nodes) {
        const bytes = one.up ? await one.store.get('items', rowOf('entries', key)) : null;
        if (bytes) kept.set(one, new Set(openEntries(bytes).map(({ body }) => body.name)));
      }
      return kept;
    },
  };
}
