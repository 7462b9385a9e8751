/** Reads a part of a group from another disk, found and fetched as a viewer would: a copy that was only claimed is none (docs/protocol.md, rule M19). */
import { type Bytes, toHex } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Crypto, Random } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import { type GroupStore, isSegment } from './group-store.ts';
import type { Holder } from './holders.ts';
import type { Link } from './link.ts';

/**
 * Whether another disk that the network names gave a segment, any of them, of a group that is wholly here, and its bytes are right. Rejects with `aborted`,
 * or `not-found` when the group is not here.
 */
export type ReadBack = (group: Key, signal: AbortSignal) => Promise<boolean>;

export interface ReadBackOptions {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly storeId: Bytes;
  readonly groups: Pick<GroupStore, 'get'>;
  readonly holdersOf: (group: Key, signal: AbortSignal) => AsyncIterable<Holder>;
  readonly connect: (contact: Contact, signal: AbortSignal) => Promise<Link>;
  readonly linked: (id: NodeId) => Link | null;
}

/** Disks that are tried for one group, besides those of linked nodes. */
const MAX_TRIES = 5;
/** What somebody watches, and copies on their way, go first. */
const URGENCY = 200;

export function createReadBack({ crypto, random, groups, holdersOf, connect, linked, ...options }: ReadBackOptions): ReadBack {
  const ownStore = toHex(options.storeId);
  return async (group, signal) => {
    const here = await groups.get(group);
    if (!here?.complete) throw fail('not-found', 'The group is not wholly on this disk.');
    const { segments } = here.descriptor;
    const segment = Math.floor(random.float() * segments.length);
    const wanted = segments[segment];
    if (!wanted) return true; // Nothing is in it.

    const gives = async (contact: Contact): Promise<boolean> => {
      try {
        const link = await connect(contact, signal);
        const bytes = await link.fetch({ group, segment, size: wanted.size, urgency: URGENCY }, { signal });
        return await isSegment(crypto, bytes, wanted);
      } catch {
        if (signal.aborted) throw abortError(signal);
        return false; // Why does not matter: the next one is asked.
      }
    };

    // Anybody can put entries of made-up disks before the true ones, but the nodes that have just taken the group are linked, and links are few.
    const others: Contact[] = [];
    for await (const { contact, storeId } of holdersOf(group, signal)) {
      if (signal.aborted) throw abortError(signal);
      if (storeId === ownStore) continue;
      if (!linked(contact.id)) others.push(contact);
      else if (await gives(contact)) return true;
    }
    for (const contact of others.slice(0, MAX_TRIES)) if (await gives(contact)) return true;
    return false;
  };
}
