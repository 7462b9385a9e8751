/**
 * What publications under way have done, noted on disk as it is done: a tab that is closed in the middle goes on when it is opened again, and
 * what is given up leaves nothing behind.
 */
import { toHex } from '../base/bytes.ts';
import type { Crypto, Random, Store } from '../base/ports.ts';
import { decode, encode } from '../base/schema.ts';
import type { Key } from '../kademlia/key.ts';
import type { GroupStore } from '../node/group-store.ts';
import { createJournalPart, type JournalPart, type PartRows } from './journal-part.ts';
import {
  CAPTIONS_PART,
  type Choices,
  choicesSchema,
  copiesSchema,
  FORM,
  factsSchema,
  groupSchema,
  openKey,
  type PublicationFacts,
  parseRowKey,
  partSchema,
  type RowName,
  renditionSchema,
  rowKey,
} from './journal-rows.ts';
import type { Library } from './library.ts';
import { groupsOfVideo } from './own-manifest.ts';

/** One publication under way. Only the tab that holds its lock writes to it. */
export interface JournalEntry {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly facts: PublicationFacts;
  readonly choices: Choices;
  readonly parts: readonly JournalPart[];
  /** Other disks that took a copy, for each group of which one did. */
  readonly copies: ReadonlyMap<Key, number>;
  change(change: Partial<PublicationFacts>): Promise<void>;
  /** A part, which begins when it is asked for the first time. */
  part(name: string): JournalPart;
  noteCopies(group: Key, copies: number): Promise<void>;
  /** Forgets all that was made of a part that is not in the video, and removes its groups unless somebody needs them. */
  clear(part: JournalPart): Promise<void>;
  /** The same of one rendition. */
  forget(part: JournalPart, rendition: number): Promise<void>;
  /** Removes those of these groups that no published video, and no row of the journal, has any use for. */
  giveBack(groups: readonly Key[]): Promise<void>;
  /** The publication is whole: only the notes go. */
  end(): Promise<void>;
}

export interface Journal {
  /** A name that no publication has. */
  newId(): string;
  begin(id: string, facts: Omit<PublicationFacts, 'form' | 'stage' | 'rungs'>, choices: Choices): Promise<JournalEntry>;
  /** Of all publications that have not ended. */
  ids(): Promise<readonly string[]>;
  /** `unreadable` for one that is damaged, or was written by another version; null when there is none. */
  open(id: string): Promise<JournalEntry | 'unreadable' | null>;
  /** Removes a publication with all that it wrote and nobody else needs; a video whose link works stays. Also what can't be read. */
  discard(id: string): Promise<void>;
}

export interface JournalOptions {
  readonly store: Store;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly library: Pick<Library, 'all'>;
  readonly groups: Pick<GroupStore, 'get' | 'putOwn' | 'remove'>;
  /** Something of an entry has changed. */
  readonly onChange?: () => void;
}

const ID_BYTES = 8;

export function createJournal(options: JournalOptions): Journal {
  const { store, crypto, library, groups, onChange = () => undefined } = options;
  /** One after the other: a group must not be removed while another publication writes it. */
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work);
    turn = done.catch(() => undefined);
    return done;
  };

  /** Removes those groups that no published video, and no row of the journal, has any use for. */
  const giveBack = async (keys: readonly Key[], isOurs: (row: RowName) => boolean = () => false): Promise<void> => {
    if (keys.length === 0) return;
    const rows = (await store.keys('meta', rowKey.all())).flatMap((key) => parseRowKey(key) ?? []);
    const needed = new Set(rows.flatMap((row) => (row.type === 'group' && !isOurs(row) ? [row.key] : [])));
    for (const video of await library.all()) for (const group of await groupsOfVideo(crypto, video)) needed.add(group);
    for (const group of keys)
      if (!needed.has(group) && (await groups.get(group))?.role === 'own') await groups.remove(group, { unwanted: true });
  };

  const entryOf = (
    id: string,
    read: { facts: PublicationFacts; choices: Choices; parts: ReadonlyMap<string, PartRows>; copies: Map<Key, number> },
  ): JournalEntry => {
    let { facts } = read;
    const partOptions = { id, store, crypto, groups, inTurn, onChange };
    const parts = new Map([...read.parts].map(([name, rows]) => [name, createJournalPart({ ...partOptions, name }, rows)]));
    const forget = (part: JournalPart, rendition: number): Promise<void> => inTurn(async () => giveBack(await part.forget(rendition)));
    return {
      id,
      choices: read.choices,
      copies: read.copies,
      get facts() {
        return facts;
      },
      get parts() {
        return [...parts.values()];
      },
      async change(change) {
        const next = { ...facts, ...change };
        await store.write([{ table: 'meta', key: rowKey.facts(id), value: encode(factsSchema, next) }]);
        facts = next;
        onChange();
      },
      part(name) {
        const part = parts.get(name) ?? createJournalPart({ ...partOptions, name }, null);
        parts.set(name, part);
        return part;
      },
      async noteCopies(group, copies) {
        await store.write([{ table: 'meta', key: rowKey.copies(id, group), value: encode(copiesSchema, copies) }]);
        read.copies.set(group, copies);
        onChange();
      },
      async clear(part) {
        for (const { rendition } of part.renditions) await forget(part, rendition.index);
      },
      forget,
      giveBack: (keys) => inTurn(() => giveBack(keys)),
      end: () => removeRows(id),
    };
  };

  const removeRows = async (id: string): Promise<void> => {
    const rows = await store.keys('meta', rowKey.rows(id));
    const segments = await store.keys('segments', openKey.all(id));
    await store.write([
      { table: 'meta', key: rowKey.facts(id), value: null },
      ...rows.map((key) => ({ table: 'meta' as const, key, value: null })),
      ...segments.map((key) => ({ table: 'segments' as const, key, value: null })),
    ]);
    onChange();
  };

  return {
    newId: () => toHex(options.random.bytes(ID_BYTES)),
    async begin(id, given, choices) {
      const facts: PublicationFacts = { ...given, form: FORM, stage: given.file ? 'cutting' : 'changing', rungs: null };
      await store.write([
        { table: 'meta', key: rowKey.facts(id), value: encode(factsSchema, facts) },
        { table: 'meta', key: rowKey.choices(id), value: encode(choicesSchema, choices) },
      ]);
      onChange();
      return entryOf(id, { facts, choices, parts: new Map(), copies: new Map() });
    },
    async ids() {
      const rows = (await store.keys('meta', rowKey.all())).flatMap((key) => parseRowKey(key)?.id ?? []);
      return [...new Set(rows)];
    },
    async open(id) {
      const row = await store.get('meta', rowKey.facts(id));
      const rows = await store.entries('meta', rowKey.rows(id));
      if (!row && rows.length === 0) return null;
      const facts = row && decode(factsSchema, row);
      const read = facts?.form === FORM ? readRows(rows) : null;
      return facts && read ? entryOf(id, { facts, ...read }) : 'unreadable';
    },
    discard: (id) =>
      inTurn(async () => {
        const rows = (await store.keys('meta', rowKey.groups(id))).flatMap((text) => parseRowKey(text) ?? []);
        const keys = rows.flatMap((row) => (row.type === 'group' ? [row.key] : []));
        await giveBack(keys, (row) => row.id === id);
        await removeRows(id);
      }),
  };
}

/** Whether the change of a video that an entry stands for is in the video: its row is written with the version. */
export function isSaved({ parts }: Pick<JournalEntry, 'parts'>): boolean {
  return parts.some(({ name, facts }) => name === CAPTIONS_PART && facts.status === 'joined');
}

/** What the rows of one publication say; null when one of them can't be read. */
function readRows(
  rows: Awaited<ReturnType<Store['entries']>>,
): { choices: Choices; parts: ReadonlyMap<string, PartRows>; copies: Map<Key, number> } | null {
  const parts = new Map<
    string,
    { facts: PartRows['facts']; renditions: PartRows['renditions'][number][]; groups: PartRows['groups'][number][] }
  >();
  const copies = new Map<Key, number>();
  let choices: Choices | null = null;
  const partOf = (name: string) => {
    const part = parts.get(name) ?? { facts: null, renditions: [], groups: [] };
    parts.set(name, part);
    return part;
  };
  for (const [text, value] of rows) {
    const row = parseRowKey(text);
    if (row?.type === 'part') {
      const facts = decode(partSchema, value);
      if (!facts) return null;
      partOf(row.part).facts = facts;
    } else if (row?.type === 'rendition') {
      const rendition = decode(renditionSchema, value);
      if (rendition?.index !== row.rendition) return null;
      partOf(row.part).renditions.push(rendition);
    } else if (row?.type === 'group') {
      const facts = decode(groupSchema, value);
      if (!facts) return null;
      partOf(row.part).groups.push({ rendition: row.rendition, key: row.key, facts });
    } else if (row?.type === 'copies') {
      const stored = decode(copiesSchema, value);
      if (stored === null) return null;
      copies.set(row.key, stored);
    } else if (row?.type === 'choices') choices = decode(choicesSchema, value);
    else return null;
  }
  return choices && { choices, parts, copies };
}
