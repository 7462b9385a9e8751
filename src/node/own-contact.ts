/** How this node is reached, as it tells others. */
import type { Bytes } from '../base/bytes.ts';
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
  readonly place: Place;
  readonly links: () => readonly Link[];
}

export function createOwnContact({ self, publicKey, open, place, links }: OwnContactOptions): OwnContact {
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
      if (contact?.coordinate !== place.told || contact === null) contact = { id: self, publicKey, open, via, coordinate: place.told };
      return contact;
    },
    changed() {
      via = null;
    },
  };
}
