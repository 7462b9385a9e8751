/** Recursive lookups, the carrying and the asking half (docs/protocol.md, rules K7 to K10 and S15). */
import { describe, expect, test } from 'vitest';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { decode, encode } from '../../../src/base/schema.ts';
import { compareDistance, hashKey, type Key, keyOf } from '../../../src/kademlia/key.ts';
import type { RouteEvent, RouteQuestion } from '../../../src/node/route-finder.ts';
import { CALLS, type Item, type RequestOf, type ResponseOf, WANT } from '../../../src/wire/messages.ts';
import { type Bench, createBench } from './support/bench.ts';
import { createWebNode, HOP, silent, type WebNode } from './support/route-web.ts';

const HOUR = 3_600_000;

const people = (bench: Bench, count: number): WebNode[] => Array.from({ length: count }, () => createWebNode(bench));

/** The farthest from the target first. */
const towards = (target: Key, nodes: readonly WebNode[]): WebNode[] =>
  [...nodes].sort((a, b) => compareDistance(target, b.contact.id, a.contact.id));

/** So many nodes, the farthest from `target` first, each linked to the next. */
function line(bench: Bench, count: number, target: Key = bench.someone().contact.id) {
  const nodes = towards(target, people(bench, count));
  for (const [index, node] of nodes.entries()) if (index > 0) nodes[index - 1]?.link(node);
  return { target, nodes };
}

async function ask(bench: Bench, from: WebNode, to: WebNode, request: Partial<RequestOf<'ROUTE'>> & { target: Key }) {
  const body = encode(CALLS.ROUTE.request, { want: null, before: 0, early: false, hops: 12, from: from.contact, ...request });
  const answer = await bench.run(from.link(to).callRaw(CALLS.ROUTE.method, body));
  return decode(CALLS.ROUTE.response, answer) as ResponseOf<'ROUTE'>;
}

async function collect(run: AsyncGenerator<RouteEvent>, until?: (event: RouteEvent) => boolean): Promise<RouteEvent[]> {
  const events: RouteEvent[] = [];
  for await (const event of run) {
    events.push(event);
    if (until?.(event)) break;
  }
  return events;
}

const at = <T>(list: readonly T[], index: number): T => list.at(index) as T;
const nodesOnly = (target: Key): RouteQuestion => ({ target, want: null, early: false });

describe('a carrier', () => {
  test('[K7] passes a lookup to its linked node nearest to the target; the last one answers along the path', async () => {
    const bench = createBench();
    const { target, nodes } = line(bench, 5);
    const [asker, ...rest] = nodes as [WebNode, ...WebNode[]];
    const answer = await ask(bench, asker, at(rest, 0), { target, hops: 9 });
    expect(answer.by.publicKey).toEqual(at(nodes, -1).contact.publicKey);
    expect(answer.left).toBe(9 - 3);
    expect(rest.map(({ asked }) => asked.length)).toEqual([1, 1, 1, 1]);
    const ids = answer.contacts.map(({ publicKey }) => hashKey(bench.crypto, publicKey));
    expect(ids).toEqual([at(nodes, -2).contact.id]);
  });

  test('[K7] ends where the nodes nearest to the target are known for certain; what is kept is looked for on those themselves', async () => {
    const bench = createBench();
    const target = bench.someone().contact.id;
    const [far, near, asker] = [createWebNode(bench, { covers: true }), createWebNode(bench), createWebNode(bench)];
    const [first, last] = towards(target, [far, near]) as [WebNode, WebNode];
    if (first !== far) return expect.unreachable('choose another seed');
    far.link(last);
    expect((await ask(bench, asker, far, { target })).by.publicKey).toEqual(far.contact.publicKey);
    expect((await ask(bench, asker, far, { target, want: WANT.value })).by.publicKey).toEqual(near.contact.publicKey);
  });

  test('[K7] answers itself when no hop is left', async () => {
    const bench = createBench();
    const { target, nodes } = line(bench, 6);
    const answer = await ask(bench, at(nodes, 0), at(nodes, 1), { target, hops: 2 });
    expect(answer.by.publicKey).toEqual(at(nodes, 3).contact.publicKey);
    expect(answer.left).toBe(0);
  });

  test('[K7] never passes it back to the asker, nor to whom it came from', async () => {
    const bench = createBench();
    const { target, nodes } = line(bench, 3);
    const [far, middle, near] = nodes as [WebNode, WebNode, WebNode];
    far.link(near);
    // The asker is nearer to the target than the one it asks.
    const answer = await ask(bench, near, far, { target });
    expect(answer.by.publicKey).toEqual(middle.contact.publicKey);
    expect(near.asked).toEqual([]);
    expect(answer.contacts.map(({ publicKey }) => publicKey)).not.toContainEqual(near.contact.publicKey);
  });

  test('[K4] [K8] the token is the last node’s, and good for the asker alone', async () => {
    const bench = createBench();
    const { target, nodes } = line(bench, 4);
    const { token } = await ask(bench, at(nodes, 0), at(nodes, 1), { target });
    expect(at(nodes, 3).tokens.check(at(nodes, 0).contact.id, token)).toBe(true);
    expect(at(nodes, 3).tokens.check(at(nodes, 2).contact.id, token)).toBe(false);
    expect(at(nodes, 2).tokens.check(at(nodes, 0).contact.id, token)).toBe(false);
  });

  test('[K7] gets around one node that does not answer, and does not name it', async () => {
    const bench = createBench();
    const target = bench.someone().contact.id;
    const [asker, carrier, second, dead] = towards(target, people(bench, 4)) as [WebNode, WebNode, WebNode, WebNode];
    for (const node of [second, dead]) carrier.link(node);
    dead.instead = silent;
    expect((await ask(bench, asker, carrier, { target })).by.publicKey).toEqual(second.contact.publicKey);
    second.instead = silent;
    await expect(ask(bench, asker, carrier, { target })).rejects.toMatchObject({ code: 'unreachable' });
    // With nobody nearer left it is the nearest itself.
    const lonely = createWebNode(bench);
    lonely.link(dead);
    const answer = await ask(bench, asker, lonely, { target: dead.contact.id });
    expect(answer.by.publicKey).toEqual(lonely.contact.publicKey);
    expect(answer.contacts.map(({ publicKey }) => publicKey)).not.toContainEqual(dead.contact.publicKey);
  });

  test('[R2] a cancelled lookup stops at all hops', async () => {
    const bench = createBench();
    const { target, nodes } = line(bench, 5);
    at(nodes, -1).instead = silent;
    const abort = new AbortController();
    const body = encode(CALLS.ROUTE.request, { target, want: null, before: 0, early: false, hops: 12, from: at(nodes, 0).contact });
    const asked = at(nodes, 0).link(at(nodes, 1)).callRaw(CALLS.ROUTE.method, body, { signal: abort.signal });
    asked.catch(() => undefined);
    await bench.advance(5 * HOP);
    expect(at(nodes, -1).asked.length).toBe(1);
    abort.abort();
    expect(await bench.code(asked)).toBe('aborted');
    expect(nodes.flatMap((node) => node.asked.map(({ signal }) => signal.aborted))).toEqual([true, true, true, true]);
  });

  test('[K9] carries 64 for one neighbour at once and refuses more; another neighbour’s go on', async () => {
    const bench = createBench();
    const { target, nodes } = line(bench, 4);
    const [asker, other, carrier, last] = nodes as [WebNode, WebNode, WebNode, WebNode];
    last.instead = silent;
    const body = encode(CALLS.ROUTE.request, { target, want: null, before: 0, early: false, hops: 9, from: asker.contact });
    const codes: (string | null)[] = [];
    const send = async (from: WebNode): Promise<void> => {
      const note = (error: { code: string } | null): number => codes.push(error?.code ?? null);
      await from
        .link(carrier)
        .callRaw(CALLS.ROUTE.method, body)
        .then(() => note(null), note);
    };
    for (let i = 0; i < 66; i++) void send(asker);
    void send(other);
    await bench.advance(3 * HOP);
    expect(codes).toEqual(['refused', 'refused']);
    expect(last.asked.length).toBe(65);
    await bench.advance(10_000);
    expect(codes.filter((code) => code === null).length).toBe(65); // by the carrier, who found the last one dead
    last.instead = null;
    expect((await ask(bench, asker, carrier, { target })).by.publicKey).toEqual(last.contact.publicKey);
  });

  test('[K8] an early search ends at the first node that has something, another one at the nearest', async () => {
    const bench = createBench();
    const bytes = fromUtf8('a value');
    const value: Item = { type: 'value', bytes };
    const { target, nodes } = line(bench, 5, hashKey(bench.crypto, bytes));
    for (const node of [at(nodes, 2), at(nodes, 4)]) await node.items.put(target, value);
    const search = { target, want: WANT.value, early: true };
    const early = await ask(bench, at(nodes, 0), at(nodes, 1), search);
    expect(early.by.publicKey).toEqual(at(nodes, 2).contact.publicKey);
    expect(early.items).toEqual([value]);
    const late = await ask(bench, at(nodes, 0), at(nodes, 1), { ...search, early: false });
    expect(late.by.publicKey).toEqual(at(nodes, 4).contact.publicKey);
    expect(late.items).toEqual([value]);
  });

  test('[S15] the last hop before a value keeps a spare copy of it for a while, the others none', async () => {
    const bench = createBench();
    const bytes = fromUtf8('a value');
    const { target, nodes } = line(bench, 5, hashKey(bench.crypto, bytes));
    await at(nodes, 4).items.put(target, { type: 'value', bytes });
    await ask(bench, at(nodes, 0), at(nodes, 1), { target, want: WANT.value, early: true });
    await bench.advance(1);
    const having = async (): Promise<number[]> => {
      const found = await Promise.all(nodes.map(({ items }) => items.find(target, 'value')));
      return found.flatMap((items, index) => (items.length > 0 ? [index] : []));
    };
    expect(await having()).toEqual([3, 4]);
    expect(await at(nodes, 3).items.all(target, 'value')).toEqual([]);
  });

  test('[S15] far from the key the copy goes sooner', async () => {
    const bench = createBench();
    const bytes = fromUtf8('a value');
    const target = hashKey(bench.crypto, bytes);
    const nodes = towards(target, people(bench, 60));
    const [far, holder] = [at(nodes, 0), at(nodes, -1)];
    await holder.items.put(target, { type: 'value', bytes });
    for (const node of nodes.slice(1)) far.link(node);
    await ask(bench, createWebNode(bench), far, { target, want: WANT.value, early: true });
    await bench.advance(1);
    expect((await far.items.find(target, 'value')).length).toBe(1);
    await bench.advance(12 * HOUR);
    expect(await far.items.find(target, 'value')).toEqual([]);
    expect((await holder.items.find(target, 'value')).length).toBe(1);
  });

  test('[S13] [S15] what is not the value is not kept on the way', async () => {
    const bench = createBench();
    const { target, nodes } = line(bench, 3);
    at(nodes, 2).instead = async () =>
      encode(CALLS.ROUTE.response, {
        by: at(nodes, 2).contact,
        left: 1,
        contacts: [],
        token: new Uint8Array(8),
        open: [],
        items: [{ type: 'value', bytes: fromUtf8('a lie') }],
      });
    await ask(bench, at(nodes, 0), at(nodes, 1), { target, want: WANT.value, early: true });
    await bench.advance(1);
    expect(await at(nodes, 1).items.find(target, 'value')).toEqual([]);
  });

  test('[F5] [L1] a malformed lookup is invalid, and an answer too large for others to carry is not carried', async () => {
    const bench = createBench();
    const { target, nodes } = line(bench, 3);
    await expect(bench.run(at(nodes, 0).link(at(nodes, 1)).callRaw(CALLS.ROUTE.method, new Uint8Array(5)))).rejects.toMatchObject({
      code: 'invalid',
    });
    at(nodes, 2).instead = async () => new Uint8Array(16 * 1024 + 1);
    const answer = await ask(bench, at(nodes, 0), at(nodes, 1), { target });
    expect(answer.by.publicKey).toEqual(at(nodes, 1).contact.publicKey);
  });
});

describe('an asker', () => {
  /** Somebody with links to `count` nodes, of which each answers lookups itself; the nearest to the target first. */
  function star(bench: Bench, count: number) {
    const target = bench.someone().contact.id;
    const asker = createWebNode(bench);
    const firsts = towards(target, people(bench, count)).toReversed();
    for (const first of firsts) asker.link(first);
    return { target, asker, firsts };
  }
  const namesOf = (events: readonly RouteEvent[], type: RouteEvent['type'], firsts: readonly WebNode[]): number[] =>
    events.flatMap((event) => (event.type === type ? firsts.findIndex(({ contact }) => contact.id === event.first.id) : []));

  test('[K8] asks by two first hops at once; when the first answer will do, the other one is cancelled', async () => {
    const bench = createBench();
    const { target, asker, firsts } = star(bench, 5);
    at(firsts, 0).instead = silent;
    const events = await bench.run(collect(asker.finder.find(nodesOnly(target)), ({ type }) => type === 'answered'));
    expect(namesOf(events, 'asked', firsts)).toEqual([0, 1]);
    expect(namesOf(events, 'answered', firsts)).toEqual([1]);
    expect(at(firsts, 0).asked[0]?.signal.aborted).toBe(true);
    expect(at(events, -1)).toMatchObject({ answer: { hops: 1, by: { id: at(firsts, 1).contact.id } } });
  });

  test('[K8] open nodes among the nearest are asked last', async () => {
    const bench = createBench();
    const target = bench.someone().contact.id;
    const asker = createWebNode(bench);
    const nodes = Array.from({ length: 8 }, (_, n) => createWebNode(bench, { open: n % 2 ? null : `wss://${n}.example/ws` }));
    const firsts = towards(target, nodes).toReversed();
    for (const first of firsts) asker.link(first);
    const nearest = firsts.slice(0, 4);
    for (const one of nearest) one.instead = () => Promise.reject(new Error('no'));
    const events = await bench.run(collect(asker.finder.find(nodesOnly(target))));
    const asked = events.flatMap((event) => (event.type === 'asked' ? [event.first] : []));
    expect(asked.map(({ id }) => id).toSorted()).toEqual(nearest.map(({ contact }) => contact.id).toSorted());
    const tabs = nearest.filter(({ contact }) => contact.open === null).length;
    expect(asked.map(({ open }) => open === null)).toEqual(nearest.map((_, index) => index < tabs));
    expect([0, 4]).not.toContain(tabs);
  });

  test('[K8] asks by one more when no answer came within half a second, and by the next at once when one fails', async () => {
    const bench = createBench();
    const { target, asker, firsts } = star(bench, 5);
    const start = bench.clock.now();
    for (const first of firsts.slice(0, 2)) first.instead = silent;
    const late = await bench.run(collect(asker.finder.find(nodesOnly(target)), ({ type }) => type === 'answered'));
    expect(namesOf(late, 'answered', firsts)).toEqual([2]);
    expect(bench.clock.now() - start).toBe(500 + 2 * HOP);
    for (const first of firsts.slice(0, 2)) first.instead = () => Promise.reject(new Error('no'));
    const failed = await bench.run(collect(asker.finder.find(nodesOnly(target)), ({ type }) => type === 'answered'));
    expect(namesOf(failed, 'failed', firsts).toSorted()).toEqual([0, 1]);
    expect(bench.clock.now() - start).toBeLessThan(500 + 9 * HOP);
  });

  test('[K8] tries four in all, and ends when all have failed', async () => {
    const bench = createBench();
    const { target, asker, firsts } = star(bench, 6);
    for (const first of firsts) first.instead = async () => new Uint8Array([1, 2, 3]);
    const events = await bench.run(collect(asker.finder.find(nodesOnly(target))));
    expect(namesOf(events, 'failed', firsts).toSorted()).toEqual([0, 1, 2, 3]);
    expect(events.filter(({ type }) => type === 'answered')).toEqual([]);
    expect(bench.pending).toBe(0);
  });

  test('[K8] gives the answers of all paths to who wants more than one', async () => {
    const bench = createBench();
    const { target, asker, firsts } = star(bench, 3);
    const events = await bench.run(collect(asker.finder.find({ target, want: 'record', early: false })));
    expect(namesOf(events, 'answered', firsts).toSorted()).toEqual([0, 1]);
  });

  test('[R2] ends with its signal', async () => {
    const bench = createBench();
    const { target, asker, firsts } = star(bench, 2);
    for (const first of firsts) first.instead = silent;
    const abort = new AbortController();
    const run = collect(asker.finder.find({ ...nodesOnly(target), signal: abort.signal }));
    run.catch(() => undefined);
    await bench.advance(2 * HOP);
    abort.abort();
    expect(await bench.code(run)).toBe('aborted');
    expect(firsts.every((first) => first.asked[0]?.signal.aborted)).toBe(true);
  });

  test('with no link it ends at once', async () => {
    const bench = createBench();
    expect(await bench.run(collect(createWebNode(bench).finder.find(nodesOnly(keyOf(new Uint8Array(20))))))).toEqual([]);
  });
});
