/** What recursive lookups are believed, and when a node asks by itself (docs/protocol.md, rules K3, K8 and K10). */
import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import type { Contact } from '../../../src/kademlia/contact.ts';
import { compareDistance, hashKey, type Key, type NodeId } from '../../../src/kademlia/key.ts';
import { createRoutingTable } from '../../../src/kademlia/routing-table.ts';
import { createItemStore } from '../../../src/node/item-store.ts';
import type { LookupEvent } from '../../../src/node/lookup.ts';
import { createLookups, type ItemSearch } from '../../../src/node/lookups.ts';
import type { RouteAnswer, RouteEvent, RouteQuestion } from '../../../src/node/route-finder.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import type { Item } from '../../../src/wire/messages.ts';
import { createBench } from './support/bench.ts';

const K = DEFAULT_SETTINGS.k;

/** A node with links to the middle 5 of 40 people, sorted by distance to `target`; what paths answer is `answers`, what people are asked for directly is noted. */
function setup(options: { covers?: boolean; style?: 'recursive' | 'iterative'; items?: (asked: Contact) => readonly Item[] } = {}) {
  const bench = createBench();
  const bytes = fromUtf8('a value');
  const target = hashKey(bench.crypto, bytes);
  const self = bench.someone().contact;
  const people = Array.from({ length: 40 }, () => bench.someone().contact).sort((a, b) => compareDistance(target, a.id, b.id));
  const table = { ...createRoutingTable({ self: self.id }), covers: () => options.covers ?? false };
  for (const contact of people.slice(20, 25)) table.linked(contact, bench.clock.now());
  const questions: RouteQuestion[] = [];
  const answers: (RouteAnswer | Error)[] = [];
  const asked: { contact: Contact; method: string; namedBy: NodeId | null }[] = [];
  const first = people[20] as Contact;
  const lookups = createLookups({
    self: self.id,
    clock: bench.clock,
    crypto: bench.crypto,
    settings: { ...DEFAULT_SETTINGS, lookupStyle: options.style ?? 'recursive' },
    table,
    items: createItemStore({ store: createMemoryStore(1e6), crypto: bench.crypto, clock: bench.clock, self: self.id }),
    routes: {
      async *find(question): AsyncGenerator<RouteEvent, void, undefined> {
        questions.push(question);
        for (const answer of answers.splice(0)) {
          yield { type: 'asked', first };
          if (answer instanceof Error) yield { type: 'failed', first, error: answer };
          else yield { type: 'answered', first, answer };
        }
      },
    },
    call: async ({ contact, namedBy }, method) => {
      asked.push({ contact, method, namedBy });
      return { contacts: [], token: new Uint8Array(8), open: [], items: options.items?.(contact) ?? [] } as never;
    },
    isFault: () => false,
    onOpen: () => undefined,
  });
  const answer = (by: number, contacts: readonly Contact[], items: readonly Item[] = []): RouteAnswer => ({
    by: people[by] as Contact,
    token: new Uint8Array(8).fill(7),
    contacts,
    open: [],
    items,
    hops: 2,
  });
  const nodes = async (wanted: Key = target): Promise<LookupEvent[]> => {
    const events: LookupEvent[] = [];
    for await (const event of lookups.nodes(wanted)) events.push(event);
    return events;
  };
  const search = async (reach: ItemSearch['reach']): Promise<Item[]> => {
    const found: Item[] = [];
    for await (const item of lookups.items(target, { want: 'value', reach })) found.push(item);
    return found;
  };
  return { self, target, bytes, people, questions, answers, asked, answer, nodes, search };
}

const nearestOf = (events: readonly LookupEvent[]) => {
  const done = events.at(-1);
  return done?.type === 'done' ? done.nearest : [];
};

describe('a recursive lookup', () => {
  test('[K8] gives the nearest of those that the answer names, the answering one and our own links, with its token alone', async () => {
    const { self, people, answers, answer, nodes, asked } = setup();
    answers.push(answer(3, [...people.slice(0, 3), ...people.slice(4, 15), self]));
    const nearest = nearestOf(await nodes());
    const expected = [...people.slice(0, 15), ...people.slice(20, 25)].map(({ id }) => id);
    expect(nearest.map(({ contact }) => contact.id)).toEqual(expected);
    expect(nearest.flatMap(({ token }, index) => (token ? [index] : []))).toEqual([3]);
    expect(nearest[0]?.namedBy).toBe(people[3]?.id);
    expect(asked).toEqual([]);
  });

  test('[K8] is over with the first answer that leads nearer', async () => {
    const { people, answers, answer, nodes } = setup();
    answers.push(answer(1, people.slice(0, 1)), answer(0, []));
    expect((await nodes()).filter(({ type }) => type === 'answered').length).toBe(1);
  });

  test('[K10] an answer that names nobody as near as our own nearest is not believed alone', async () => {
    const { people, answers, answer, nodes, asked } = setup();
    answers.push(answer(30, people.slice(31, 40)), answer(2, people.slice(0, 2)));
    const both = await nodes();
    expect(nearestOf(both)[0]?.contact.id).toBe(people[0]?.id);
    expect(asked).toEqual([]);
    answers.push(answer(30, people.slice(31, 40)));
    await nodes();
    expect(asked.length).toBeGreaterThanOrEqual(5);
    expect(asked.every(({ method }) => method === 'FIND_NODE')).toBe(true);
  });

  test('[K10] asks one after the other itself when no path led anywhere', async () => {
    const { people, answers, nodes, asked } = setup();
    answers.push(fail('unreachable', 'No.'), fail('timeout', 'No.'));
    const events = await nodes();
    expect(events.filter(({ type }) => type === 'failed').length).toBe(2);
    expect(
      asked
        .slice(0, 5)
        .map(({ contact }) => contact.id)
        .toSorted(),
    ).toEqual(
      people
        .slice(20, 25)
        .map(({ id }) => id)
        .toSorted(),
    );
    expect(nearestOf(events).map(({ contact }) => contact.id)).toEqual(people.slice(20, 25).map(({ id }) => id));
  });

  test('[K8] asks nobody where our own links show who is nearest, unless it looks for itself', async () => {
    const { self, questions, nodes } = setup({ covers: true });
    expect(nearestOf(await nodes()).length).toBe(5);
    expect(questions).toEqual([]);
    await nodes(self.id);
    expect(questions.length).toBe(1);
  });

  test('the other style does without paths', async () => {
    const { questions, nodes, asked } = setup({ style: 'iterative' });
    await nodes();
    expect(questions).toEqual([]);
    expect(asked.length).toBeGreaterThanOrEqual(5);
  });
});

describe('a search for items', () => {
  test('[K10] that ends with nothing asks half of the nearest itself, none twice', async () => {
    const { bytes, people, answers, answer, search, asked, questions } = setup({
      items: (contact) => (contact === people2 ? [{ type: 'value', bytes }] : []),
    });
    const people2 = people[2] as Contact;
    answers.push(answer(0, people.slice(1, K)));
    expect(await search('first')).toEqual([{ type: 'value', bytes }]);
    expect(asked.map(({ contact }) => people.indexOf(contact)).toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(asked.every(({ method }) => method === 'FIND_VALUE')).toBe(true);
    // Who named them is linked to them, and carries the question.
    expect(new Set(asked.map(({ namedBy }) => namedBy))).toEqual(new Set([people[0]?.id]));
    expect(questions.map(({ early }) => early)).toEqual([true]);
  });

  test('[K8] for any copy, or for the newest, hears all paths; for a set the one that leads to the nearest', async () => {
    for (const [reach, heard] of [
      ['first', 2],
      ['all', 2],
      ['nearest', 1],
    ] as const) {
      const { bytes, answers, answer, search, questions } = setup();
      const value: Item = { type: 'value', bytes };
      answers.push(answer(0, [], [value]), answer(1, [], [value]));
      expect((await search(reach)).length).toBe(heard);
      expect(questions[0]?.early).toBe(reach === 'first');
    }
  });
});
