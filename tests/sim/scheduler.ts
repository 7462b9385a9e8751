/** Virtual time: one heap of events. The core's promises are let run between two events, so a seed decides everything. */
import type { Cancel, Clock } from '../../src/base/ports.ts';

interface Event {
  readonly at: number;
  /** Orders events of the same instant by when they were planned. */
  readonly order: number;
  run: (() => void) | null;
}

export interface Scheduler {
  readonly clock: Clock;
  /** Runs events until virtual time reaches `ms` from now, or until `until` says true. Gives how many ran. */
  advance(ms: number, until?: () => boolean): Promise<number>;
  readonly pending: number;
}

/** Virtual time starts here: a plain date, so that times have the length that they have outside. */
export const EPOCH = 1_800_000_000_000;

export function createScheduler(): Scheduler {
  const heap: Event[] = [];
  let now = EPOCH;
  let planned = 0;

  const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

  const push = (event: Event): void => {
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(event, heap[parent] as Event)) break;
      heap[i] = heap[parent] as Event;
      i = parent;
    }
    heap[i] = event;
  };

  const pop = (): Event => {
    const top = heap[0] as Event;
    const last = heap.pop() as Event;
    if (heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!before(heap[child] as Event, last)) break;
      heap[i] = heap[child] as Event;
      i = child;
    }
    heap[i] = last;
    return top;
  };

  const after = (ms: number, run: () => void): Cancel => {
    const event: Event = { at: now + Math.max(0, ms), order: planned++, run };
    push(event);
    return () => {
      event.run = null;
    };
  };

  return {
    clock: { now: () => Math.floor(now), after },
    get pending() {
      return heap.length;
    },
    async advance(ms, until = () => false) {
      const end = now + ms;
      let ran = 0;
      await settle();
      while (heap.length > 0 && (heap[0] as Event).at <= end && !until()) {
        const event = pop();
        if (!event.run) continue;
        now = event.at;
        event.run();
        ran++;
        await settle();
      }
      if (!until()) now = Math.max(now, end);
      return ran;
    },
  };
}

/** Lets every promise that can go on go on: a macrotask comes after all microtasks. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
