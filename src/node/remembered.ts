/** Nodes that this one was linked to, kept on disk: after a reload it knows whom to ask for, through any open node (design §5). */
import { copy } from '../base/bytes.ts';
import type { Clock, Crypto, Store } from '../base/ports.ts';
import { decode, encode, list, struct, time } from '../base/schema.ts';
import { type Contact, type ContactFields, contactOf, contactSchema } from '../kademlia/contact.ts';
import type { Link } from './link.ts';

export interface Remembered {
  /** Those that were linked of late; none when that is too long ago, or when nothing can be read. */
  load(): Promise<readonly Contact[]>;
  /** Writes down who is linked now. Without any link it keeps what it has. */
  save(): Promise<void>;
}

/** Each that has gone costs a try to connect. The oldest links are the likeliest to be there still. */
const MOST = 16;
/** Half of all tabs are gone after 30 minutes, ms. */
const GOOD_FOR = 2 * 3_600_000;
const ROW = 'peers';

interface Row {
  readonly saved: number;
  readonly contacts: readonly ContactFields[];
}

const rowSchema = struct<Row>({ saved: time, contacts: list(contactSchema, MOST) });

export function createRemembered(options: { clock: Clock; crypto: Crypto; store: Store; links: () => readonly Link[] }): Remembered {
  const { clock, crypto, store } = options;
  return {
    async load() {
      const bytes = await store.get('meta', ROW);
      const row = bytes && decode(rowSchema, copy(bytes));
      if (!row || Math.abs(clock.now() - row.saved) > GOOD_FOR) return [];
      return row.contacts.map((fields) => contactOf(crypto, fields));
    },
    async save() {
      const closed = options.links().filter(({ contact }) => contact.open === null);
      if (closed.length === 0) return;
      const contacts = [...closed].sort((a, b) => a.since - b.since).slice(0, MOST);
      const value = encode(rowSchema, { saved: clock.now(), contacts: contacts.map(({ contact }) => contact) });
      await store.write([{ table: 'meta', key: ROW, value }]);
    },
  };
}
