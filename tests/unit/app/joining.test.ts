/** Waiting for the first links. */
import { describe, expect, test } from 'vitest';
import { askWhileJoining, type Linked, untilLinked, untilLinksChange } from '../../../src/app/joining.ts';
import { createScheduler } from '../../sim/scheduler.ts';

/** A node whose links are only counted. */
function bench() {
  const scheduler = createScheduler();
  const { clock } = scheduler;
  const listeners = new Set<() => void>();
  const links: unknown[] = [];
  const abort = new AbortController();
  const node: Linked = {
    links: () => links as ReturnType<Linked['links']>,
    onLinks(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const link = (): void => {
    links.push({});
    for (const listener of [...listeners]) listener();
  };
  return { scheduler, clock, node, link, listeners, abort, signal: abort.signal };
}

/** When it settled, in ms from now; null while it has not. */
async function settledAt(at: ReturnType<typeof bench>, promise: Promise<unknown>, within: number): Promise<number | null> {
  const start = at.clock.now();
  let end: number | null = null;
  const settle = (): void => {
    end = at.clock.now() - start;
  };
  promise.then(settle, settle);
  await at.scheduler.advance(within);
  return end;
}

describe('waiting for a change of the links', () => {
  test('ends at the next one, and leaves nothing behind', async () => {
    const at = bench();
    const waiting = untilLinksChange(at.node, { clock: at.clock, ms: 10_000, signal: at.signal });
    at.clock.after(300, at.link);
    expect(await settledAt(at, waiting, 20_000)).toBe(300);
    expect(at.listeners.size).toBe(0);
  });

  test('ends after its time', async () => {
    const at = bench();
    expect(await settledAt(at, untilLinksChange(at.node, { clock: at.clock, ms: 10_000, signal: at.signal }), 20_000)).toBe(10_000);
    expect(at.listeners.size).toBe(0);
  });

  test.each([true, false])('rejects when the signal fires (it had fired before: %j)', async (before) => {
    const at = bench();
    if (before) at.abort.abort();
    const waiting = untilLinksChange(at.node, { clock: at.clock, ms: 10_000, signal: at.signal });
    at.abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    expect(at.listeners.size).toBe(0);
  });
});

describe('waiting for a first link', () => {
  test('is no waiting when there is one', async () => {
    const at = bench();
    at.link();
    expect(await settledAt(at, untilLinked(at.node, at), 0)).toBe(0);
  });

  test('has an end without one', async () => {
    const at = bench();
    expect(await settledAt(at, untilLinked(at.node, at), 60_000)).toBe(8_000);
  });
});

describe('asking while joining', () => {
  test('asks once when there is an answer', async () => {
    const at = bench();
    let asked = 0;
    expect(await askWhileJoining(at.node, at, async () => ++asked)).toBe(1);
  });

  test('asks again at the first link', async () => {
    const at = bench();
    at.clock.after(2_000, at.link);
    const asking = askWhileJoining(at.node, at, async () => (at.node.links().length > 0 ? 'here' : null));
    expect(await settledAt(at, asking, 60_000)).toBe(2_000);
    expect(await asking).toBe('here');
  });

  test('does not give up while the first links open in a burst', async () => {
    const at = bench();
    const start = at.clock.now();
    for (let n = 0; n < 20; n++) at.clock.after(100 + 10 * n, at.link);
    const asking = askWhileJoining(at.node, at, async () => (at.clock.now() - start >= 2_000 ? 'here' : null));
    await at.scheduler.advance(60_000);
    expect(await asking).toBe('here');
  });

  test('gives null in the end, and rejects when the signal fires', async () => {
    const at = bench();
    at.link();
    let asked = 0;
    const nothing = async (): Promise<null> => {
      asked++;
      return null;
    };
    const asking = askWhileJoining(at.node, at, nothing);
    expect(await settledAt(at, asking, 60_000)).toBe(3_000);
    expect(await asking).toBeNull();
    expect(asked).toBe(4);
    const again = askWhileJoining(at.node, at, nothing);
    at.clock.after(100, () => at.abort.abort());
    expect(await settledAt(at, again, 60_000)).toBe(100);
    await expect(again).rejects.toMatchObject({ code: 'aborted' });
  });
});
