/** The checks that run with a world must be able to fail. */
import { afterEach, expect, test } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { encodeFrame } from '../../src/wire/codec.ts';
import { watchInvariants } from './invariants.ts';
import { populate } from './population.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function setup(options: Partial<WorldOptions> & { budget?: number; events?: number } = {}): World {
  const { budget, events, ...own } = options;
  const world = createWorld({ seed: 3, ...own });
  open.push(world, watchInvariants({ world, seed: 3, ...(budget && { budget }), ...(events && { events }) }));
  return world;
}

test('a world in order goes on', async () => {
  const world = setup();
  await populate(world, { tabs: 12, settling: 120_000 });
  expect(world.tabs()).toHaveLength(12);
});

test('more links than the budget end the run, with the seed and the time', async () => {
  const world = setup({ budget: 5 });
  await expect(populate(world, { tabs: 12 })).rejects.toThrow(/^Seed 3, after \d+\.\d{3} virtual seconds: a tab has 6 links/);
});

test('more planned events than there should be end the run', async () => {
  const world = setup({ events: 2 });
  await expect(populate(world, { tabs: 5, settling: 120_000 })).rejects.toThrow('events are planned for 6 nodes');
});

test('a message above its limit ends the run; bulk bytes may be larger than what others carry', async () => {
  const world = setup();
  await populate(world, { tabs: 2 });
  const [a, b] = world.tabs();
  b?.host.listen('ws://b/', () => undefined);
  const channel = (await world.run(a?.host.dialer.dial('ws://b/', new AbortController().signal) as Promise<never>)) as {
    send(message: Uint8Array<ArrayBuffer>): void;
  };
  channel.send(encodeFrame({ type: 'data', id: 1, bytes: new Uint8Array(100_000) }));
  channel.send(encodeFrame({ type: 'response', id: 1, body: new Uint8Array(LIMITS.relayed) }));
  await world.scheduler.advance(1_000);
  channel.send(encodeFrame({ type: 'response', id: 1, body: new Uint8Array(LIMITS.relayed + 2_000) }));
  await expect(world.scheduler.advance(1_000)).rejects.toThrow('a response has 18');
  channel.send(new Uint8Array(LIMITS.message + 1));
  await expect(world.scheduler.advance(1_000)).rejects.toThrow(`a message has ${LIMITS.message + 1} bytes`);
});
