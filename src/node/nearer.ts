/** What every answer to a lookup carries: nearer contacts, a token, open nodes (docs/protocol.md, rules K2, K4 and R4). */
import { LIMITS } from '../base/limits.ts';
import { encode } from '../base/schema.ts';
import type { Contact } from '../kademlia/contact.ts';
import { contactSchema } from '../kademlia/contact.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import type { Item, Nearer } from '../wire/messages.ts';
import type { Tokens } from './tokens.ts';

export interface NearerSource {
  /** For an asker, without itself; `without` are others that are left out. With items, as many contacts as still fit into what others carry. */
  about(target: Key, from: Contact, options?: { without?: ReadonlySet<NodeId>; items?: readonly Item[] }): Nearer;
  /** Addresses of open nodes that we know. */
  open(): readonly string[];
}

/** Bytes around the contacts and items of an answer: token, list headers, who answers. */
const AROUND = 512;
/** Bytes around the parts of an item. */
const AROUND_ITEM = 16;
const NOBODY: ReadonlySet<NodeId> = new Set();

export function createNearerSource({ table, tokens }: { table: RoutingTable; tokens: Tokens }): NearerSource {
  const open = (): readonly string[] =>
    table
      .openNodes()
      .slice(0, LIMITS.openNodes)
      .flatMap((one) => one.open ?? []);

  return {
    open,
    about(target, from, { without = NOBODY, items = [] } = {}) {
      const urls = open();
      const contacts = table
        .closestLinked(target, LIMITS.contacts + 1 + without.size)
        .filter((one) => one.id !== from.id && !without.has(one.id))
        .slice(0, LIMITS.contacts);
      const used = items.reduce((sum, item) => sum + sizeOf(item), AROUND + urls.reduce((sum, url) => sum + url.length, 0));
      return { contacts: items.length > 0 ? fitting(contacts, LIMITS.relayed - used) : contacts, token: tokens.issue(from.id), open: urls };
    },
  };
}

function sizeOf(item: Item): number {
  return AROUND_ITEM + (item.type === 'value' ? item.bytes.length : item.signed.body.length + item.signed.signature.length);
}

/** The nearest ones that fit into so many bytes. */
function fitting(contacts: readonly Contact[], room: number): readonly Contact[] {
  let left = room;
  const over = contacts.findIndex((contact) => {
    left -= encode(contactSchema, contact).length;
    return left < 0;
  });
  return over < 0 ? contacts : contacts.slice(0, over);
}
