/** Who says which group came out of making one in another quality: signed entries under the topic of what was made (docs/protocol.md, J12). */
import { EMPTY } from '../base/bytes.ts';
import type { Clock, Crypto, Signer } from '../base/ports.ts';
import { decode, encode, struct } from '../base/schema.ts';
import { hashKey, type Key, keySchema, type NodeId } from '../kademlia/key.ts';
import { writeEntry } from '../records/entry.ts';
import { MAX_ENTRY_LIFE } from '../records/expiry.ts';
import type { Overlay } from './overlay.ts';

export interface MadeGroups {
  /** The groups that are named under a topic, by most nodes first. Rejects with what the signal says. */
  find(topic: Key, signal: AbortSignal): Promise<readonly MadeClaim[]>;
  /** Gives this node's word; null takes it back. How many nodes have noted it. */
  vouch(topic: Key, group: Key | null): Promise<number>;
}

/** A group that nodes say came out. */
export interface MadeClaim {
  readonly group: Key;
  readonly by: readonly NodeId[];
}

interface Value {
  readonly group: Key;
}

const valueSchema = struct<Value>({ group: keySchema });
/** One word of a node under a topic: the next replaces it. */
const ENTRY_NAME = '';

export function createMadeGroups(options: {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly overlay: Pick<Overlay, 'findEntries' | 'store'>;
}): MadeGroups {
  const { clock, crypto, signer, overlay } = options;
  return {
    async find(topic, signal) {
      const words = new Map<NodeId, { readonly time: number; readonly group: Key | null }>();
      for await (const { body } of overlay.findEntries(topic, { signal })) {
        const writer = hashKey(crypto, body.writer);
        if (body.name !== ENTRY_NAME || (words.get(writer)?.time ?? -1) >= body.time) continue;
        words.set(writer, { time: body.time, group: decode(valueSchema, body.value)?.group ?? null });
      }
      const claims = new Map<Key, NodeId[]>();
      for (const [writer, { group }] of words) if (group) claims.set(group, [...(claims.get(group) ?? []), writer]);
      return [...claims].map(([group, by]) => ({ group, by })).sort((a, b) => b.by.length - a.by.length);
    },
    async vouch(topic, group) {
      const [time, value] = [clock.now(), group ? encode(valueSchema, { group }) : EMPTY];
      const { signed } = await writeEntry({ signer, topic, name: ENTRY_NAME, value, time, expires: time + MAX_ENTRY_LIFE });
      return overlay.store(topic, { type: 'entry', signed });
    },
  };
}
