/**
 * Planned events by time. Those of the current slice of time are in a heap, later ones wait unsorted in slices of their own: most timers of a
 * node are deadlines that are cancelled long before they come up, and cost next to nothing that way.
 */
export interface Event {
  readonly at: number;
  /** Orders events of the same instant by when they were planned. */
  readonly order: number;
  /** Null when cancelled or taken. */
  run: (() => void) | null;
}

export interface EventQueue {
  add(at: number, run: () => void): Event;
  cancel(event: Event): void;
  /** Takes the earliest event out if it is not after `end`, and gives what it runs; null otherwise. */
  next(end: number): (() => void) | null;
  /** When the event that was taken last comes up. */
  readonly now: number;
  /** Events that are neither taken nor cancelled. */
  readonly size: number;
}

/** Ms of one slice: some hundred events of a busy network. */
const SLICE = 16;
/** With fewer slices than this the next one is looked for among them, else in the order of time. */
const FEW = 64;
/** Cancelled events that may wait before it is looked whether they are most. */
const MANY = 10_000;

export function createEventQueue(start: number): EventQueue {
  let heap: Event[] = [];
  const slices = new Map<number, Event[]>();
  let current = sliceOf(start);
  let planned = 0;
  let size = 0;
  let cancelled = 0;
  let now = start;

  /** Drops what was cancelled, everywhere. */
  const compact = (): void => {
    heap = heap.filter(isLive).sort(compare); // a sorted array is a heap
    for (const [slice, events] of slices) {
      const live = events.filter(isLive);
      if (live.length > 0) slices.set(slice, live);
      else slices.delete(slice);
    }
    cancelled = 0;
  };

  /** Goes to the next slice that has something, but not past the one of `end`. False when there is none. */
  const turn = (end: number): boolean => {
    const last = sliceOf(end);
    while (current < last) {
      current = slices.size < FEW ? Math.min(last, least(slices.keys())) : current + 1;
      const events = slices.get(current);
      if (!events) continue;
      slices.delete(current);
      for (const event of events) {
        if (event.run) push(heap, event);
        else cancelled--;
      }
      if (heap.length > 0) return true;
    }
    return false;
  };

  return {
    add(at, run) {
      const event: Event = { at, order: planned++, run };
      const slice = sliceOf(at);
      const waiting = slices.get(slice);
      if (slice <= current) push(heap, event);
      else if (waiting) waiting.push(event);
      else slices.set(slice, [event]);
      size++;
      return event;
    },
    cancel(event) {
      if (!event.run) return;
      event.run = null;
      size--;
      cancelled++;
      if (cancelled > MANY && cancelled > size) compact();
    },
    next(end) {
      for (;;) {
        const first = heap[0];
        if (!first) {
          if (turn(end)) continue;
          return null;
        }
        if (first.at > end) return null;
        pop(heap);
        const { run } = first;
        if (!run) {
          cancelled--;
          continue;
        }
        first.run = null;
        now = first.at;
        size--;
        return run;
      }
    },
    get now() {
      return now;
    },
    get size() {
      return size;
    },
  };
}

function sliceOf(at: number): number {
  return Math.floor(at / SLICE);
}

function least(numbers: Iterable<number>): number {
  let found = Number.POSITIVE_INFINITY;
  for (const one of numbers) if (one < found) found = one;
  return found;
}

function isLive(event: Event): boolean {
  return event.run !== null;
}

function compare(a: Event, b: Event): number {
  return a.at - b.at || a.order - b.order;
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let i = heap.push(event) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!isBefore(event, heap[parent] as Event)) break;
    heap[i] = heap[parent] as Event;
    i = parent;
  }
  heap[i] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop() as Event;
  if (heap.length === 0) return;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
    if (!isBefore(heap[child] as Event, last)) break;
    heap[i] = heap[child] as Event;
    i = child;
  }
  heap[i] = last;
}
