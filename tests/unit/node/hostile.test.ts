/** A neighbour that says anything at all, in any order, against a whole node (docs/protocol.md, rules F). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Bytes, concat, fromUtf8 } from '../../../src/base/bytes.ts';
import { encode } from '../../../src/base/schema.ts';
import { hashKey, type Key, keyOf } from '../../../src/kademlia/key.ts';
import { handshake } from '../../../src/node/handshake.ts';
import { encodeFrame } from '../../../src/wire/codec.ts';
import { CALLS, type FailureCode } from '../../../src/wire/messages.ts';
import { createWorld } from '../../sim/world.ts';
import { channelPair, type TestChannel } from './support/channel-pair.ts';
import { makeGroup } from './support/make-group.ts';

const RUNS = 120;
const GROUP = makeGroup(1, [5_000, 20]);

const bytes = (max: number): fc.Arbitrary<Bytes> => fc.uint8Array({ maxLength: max }).map((array) => new Uint8Array(array));
const id = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 0xffff_ffff }));
const uint32 = fc.oneof(fc.constant(0), fc.constant(0xffff_ffff), fc.integer({ min: 0, max: 1_000_000 }));

interface Named {
  readonly id: Key;
  readonly publicKey: Bytes;
}

/** A message of an enemy who knows the protocol: valid frames with hostile content, and nonsense. `self`, `victim`: whom it may name. */
const message = (who: { self: Named; victim: Named }) => {
  const from = fc
    .constantFrom(who.self, who.victim)
    .map(({ publicKey }) => ({ publicKey, open: null, via: [], coordinate: null, nat: null, stun: null }));
  const key = fc.constantFrom(who.self.id, who.victim.id, GROUP.key);
  const request = (method: keyof typeof CALLS, body: Bytes): { method: number; body: Bytes } => ({ method: CALLS[method].method, body });
  const call = fc.oneof(
    fc.constant(request('PING', encode(CALLS.PING.request, {}))),
    key.map((target) => request('FIND_NODE', encode(CALLS.FIND_NODE.request, { target }))),
    fc
      .record({ key, want: fc.integer({ min: 0, max: 2 }), before: uint32 })
      .map((find) => request('FIND_VALUE', encode(CALLS.FIND_VALUE.request, find))),
    fc
      .record({ key, token: fc.constant(new Uint8Array(8)), bytes: bytes(50) })
      .map((put) =>
        request('STORE', encode(CALLS.STORE.request, { ...put, item: { type: 'value', bytes: put.bytes }, replicas: 20, life: 60_000 })),
      ),
    bytes(200).map((letter) => request('SIGNAL', encode(CALLS.SIGNAL.request, { letter }))),
    fc
      .record({
        to: key,
        via: fc.option(key),
        hops: fc.integer({ min: 0, max: 16 }),
        from,
        method: fc.integer({ min: 0, max: 12 }),
        body: bytes(60),
      })
      .map((relay) => request('RELAY', encode(CALLS.RELAY.request, relay))),
    key.map((group) => request('DESCRIBE', encode(CALLS.DESCRIBE.request, { group }))),
    fc
      .record({
        segment: fc.integer({ min: 0, max: 3 }),
        offset: fc.constantFrom(0, 4_999, 5_000, 5_001),
        window: uint32,
        urgency: fc.constant(0),
      })
      .map((fetch) => request('FETCH', encode(CALLS.FETCH.request, { ...fetch, group: GROUP.key }))),
    fc
      .integer({ min: 2, max: 6 })
      .map((fill) => makeGroup(fill, [3_000]))
      .map((group) => request('OFFER', encode(CALLS.OFFER.request, { group: group.key, descriptor: group.encoded }))),
    fc.boolean().map((kept) => request('KEPT', encode(CALLS.KEPT.request, { group: GROUP.key, kept, reason: 'x' }))),
    fc.record({ method: fc.integer({ min: 0, max: 255 }), body: bytes(60) }),
  );
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ id, call }).map((one) => encodeFrame({ type: 'request', id: one.id, ...one.call })) },
    fc.record({ id, body: bytes(80) }).map((one) => encodeFrame({ type: 'response', ...one })),
    fc
      .record({ id, code: fc.integer({ min: 0, max: 255 }) })
      .map((one) => encodeFrame({ type: 'failure', id: one.id, code: one.code as FailureCode, reason: 'x' })),
    fc.record({ id, bytes: bytes(300) }).map((one) => encodeFrame({ type: 'data', ...one })),
    fc.record({ id, bytes: uint32 }).map((one) => encodeFrame({ type: 'credit', ...one })),
    id.map((one) => encodeFrame({ type: 'cancel', id: one })),
    { weight: 1, arbitrary: bytes(60) },
    fc.constant(encodeFrame({ type: 'alive' })),
  );
};

test(`an enemy's ${RUNS} sequences of messages neither throw, nor hang, nor hurt the others`, { timeout: 60_000 }, async () => {
  const named = (fill: number): Named => ({ id: keyOf(new Uint8Array(20).fill(fill)), publicKey: new Uint8Array(32).fill(fill) });
  const who = { self: named(0), victim: named(255) };
  await fc.assert(
    fc.asyncProperty(fc.array(message(who), { minLength: 20, maxLength: 150 }), fc.boolean(), async (messages, reads) => {
      const world = createWorld({ seed: 1 });
      world.add({ open: 'ws://open-0/ws' });
      const [target, friend] = [world.add(), world.add()];
      await world.scheduler.advance(10_000);
      const own = GROUP.segments[0] as Bytes;
      await world.run(target.node.groups.put({ group: GROUP.key, encoded: GROUP.encoded, index: 0, bytes: own, role: 'own' }));

      const { near, far } = await enemyOf(world, target.node);
      far.stuck = !reads;
      for (const one of messages) {
        near.send(one);
        await world.scheduler.advance(3);
      }
      far.stuck = false;
      await world.scheduler.advance(30_000);

      const value = fromUtf8('still here');
      const key = hashKey(world.crypto, value);
      expect(await world.run(friend.node.overlay.store(key, { type: 'value', bytes: value }))).toBeGreaterThanOrEqual(2);
      expect(await world.run(target.node.overlay.findValue(key))).toEqual(value);
      expect((await target.node.groups.usage()).others).toBe(0);
      for (const { node } of world.nodes) node.close();
      await world.scheduler.advance(2 * 3_600_000);
      expect(world.scheduler.pending).toBe(0);
    }),
    { numRuns: RUNS },
  );
});

/** The enemy's end of a proven link to a node, and the node's. */
async function enemyOf(
  world: ReturnType<typeof createWorld>,
  node: ReturnType<typeof createWorld>['nodes'][number]['node'],
): Promise<{ near: TestChannel; far: TestChannel }> {
  const { clock } = world.scheduler;
  const random = { float: () => 0.5, bytes: (length: number) => new Uint8Array(length).fill(3) };
  const signer = world.crypto.signer(random);
  const [near, far] = channelPair(clock);
  const contact = {
    id: hashKey(world.crypto, signer.publicKey),
    publicKey: signer.publicKey,
    open: null,
    via: [],
    coordinate: null,
    nat: null,
    stun: null,
  };
  const proving = handshake({
    channel: near,
    clock,
    random,
    crypto: world.crypto,
    signer,
    contact: () => contact,
    storeId: concat(random.bytes(16)),
    deadline: 8_000,
  });
  node.accept(far);
  const proven = await world.run(proving);
  proven.listen({ message: () => undefined, drain: () => undefined, close: () => undefined });
  return { near, far };
}
