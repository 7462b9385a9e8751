/** This node's word on the groups that it holds: given, renewed before it grows old, and taken back. */
import type { Bytes } from '../base/bytes.ts';
import type { Clock, Signer } from '../base/ports.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { Key } from '../kademlia/key.ts';
import type { SignedEntry } from '../records/entry.ts';
import { HOLDER_LIFE, HOLDER_RENEWAL } from '../records/expiry.ts';
import { holderEntry, withdrawalEntry } from './holders.ts';
import { inTurn } from './in-turn.ts';
import type { Overlay } from './overlay.ts';
import { trim } from './trim.ts';

export interface Announcing {
  /** Tells the network that this node holds a group. Gives how many nodes have noted it. */
  announce(group: Key, signal?: AbortSignal): Promise<number>;
  /** Takes the word back, where it was given of late: what is not here any more must not count as a copy. */
  withdraw(group: Key): Promise<void>;
  /** Announces those groups of which nothing was said for `age` ms. */
  renew(groups: readonly Key[], options: { age: (group: Key) => number; signal: AbortSignal }): Promise<void>;
}

export interface AnnouncingOptions {
  readonly clock: Clock;
  readonly signer: Signer;
  readonly contact: () => Contact;
  readonly storeId: Bytes;
  readonly overlay: Pick<Overlay, 'store'>;
}

/** Nodes that keep a group's holders' set: more than keep its copies, so that the set outlives them. */
export const HOLDER_REPLICAS = 8;
/** Groups of which it is remembered when they were announced. */
const MAX_ANNOUNCED = 4096;

export function createAnnouncing(options: AnnouncingOptions): Announcing {
  const { clock, signer } = options;
  /** When the word was given, ms. */
  const announced = new Map<Key, number>();

  const age = (group: Key): number => clock.now() - (announced.get(group) ?? Number.NEGATIVE_INFINITY);

  const store = (group: Key, { signed }: SignedEntry, signal?: AbortSignal): Promise<number> =>
    options.overlay.store(group, { type: 'entry', signed }, { replicas: HOLDER_REPLICAS, ...(signal && { signal }) });

  const announce: Announcing['announce'] = async (group, signal) => {
    announced.delete(group);
    announced.set(group, clock.now());
    trim(announced, MAX_ANNOUNCED);
    try {
      const entry = await holderEntry({ signer, clock, group, contact: options.contact(), storeId: options.storeId });
      return await store(group, entry, signal);
    } catch (error) {
      announced.delete(group);
      throw error;
    }
  };

  return {
    announce,
    async withdraw(group) {
      if (age(group) > HOLDER_LIFE) return;
      announced.delete(group);
      await store(group, await withdrawalEntry({ signer, clock, group }));
    },
    async renew(groups, { age: most, signal }) {
      const due = groups.filter((group) => age(group) >= most(group));
      await inTurn(due, signal, (group) => announce(group, signal));
    },
  };
}

/** How old the word on a group may grow before it is renewed, ms: three quarters of an hour to an hour, so that what was announced together is not renewed together. */
export function renewalAge(group: Key): number {
  return HOLDER_RENEWAL * (0.75 + 0.25 * (Number.parseInt(group.slice(-4), 16) / 0x1_0000));
}
