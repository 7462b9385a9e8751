/** How this node is reached, as it tells others. */
import type { Bytes } from '../base/bytes.ts';
import type { Nat } from '../base/nat.ts';
import { type Contact, MAX_VIA } from '../kademlia/contact.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { Place } from '../kademlia/vivaldi.ts';
import type { Link } from './link.ts';

export interface OwnContact {
  /** The same object until something in it changes: it is written into many messages. */
  current(): Contact;
  /** Links came or went. */
  changed(): void;
}

export interface OwnContactOptions {
  readonly self: NodeId;
  readonly publicKey: Bytes;
  /** Our own address when others can dial us. */
  readonly open: string | null;
  /** The UDP port at which we answer STUN. */
  readonly stun: number | null;
  readonly place: Place;
  /** What we believe stands between us and the rest. */
  readonly nat: () => Nat | null;
  readonly links: () => readonly Link[];
}

export function createOwnContact({ self, publicKey, open, stun, place, nat: judge, links }: OwnContactOptions): OwnContact {
  let contact: Contact | null = null;
  let via: readonly NodeId[] | null = null;

  /** Open nodes first, then the oldest links: they will be there longest. */
  const waysHere = (): readonly NodeId[] => {
    if (open) return [];
    const sorted = [...links()].sort((a, b) => Number(a.contact.open === null) - Number(b.contact.open === null) || a.since - b.since);
    return sorted.slice(0, MAX_VIA).map((link) => link.id);
  };

  return {
    current() {
      if (via === null) {
        via = waysHere();
        if (contact && via.join() !== contact.via.join()) contact = null;
      }
      const [coordinate, nat] = [place.told, judge()];
      if (contact === null || contact.coordinate !== coordinate || contact.nat !== nat)
        contact = { id: self, publicKey, open, via, coordinate, nat, stun };
      return contact;
    },
    changed() {
      via = null;
    },
  };
}
