/**
 * Keeps the list of our nearest nodes whole. A newcomer links to its own nearest, and may not see that it is among ours; so now and then one of our
 * neighbours is asked whom it knows near us: often while that changes, hardly ever while it does not.
 */
import type { Cancel, Clock, Random } from '../base/ports.ts';
import type { Contact } from '../kademlia/contact.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';

export interface Vicinity {
  start(): void;
  /** A neighbour came or went. */
  changed(): void;
  /** Fewer neighbours are known than are wanted, since one was lost: two are asked at once. */
  short(): void;
  close(): void;
}

export interface VicinityOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly table: RoutingTable;
  /** Asks a linked node for the nodes nearest to us, or for those at the edge of our neighbourhood. Gives how many were news. */
  readonly ask: (neighbour: Contact, how: { edge: boolean }) => Promise<number>;
}

/** Between two questions, ms: after a change, and when nothing was new for long (doubled each time between the two). */
const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 600_000;
/** The nearest, asked at once when neighbours are missing. */
const ASKED_AT_ONCE = 2;

export function createVicinity(options: VicinityOptions): Vicinity {
  const { clock, random, table } = options;
  let pause = FIRST_PAUSE;
  let due = Number.POSITIVE_INFINITY;
  let cancel: Cancel = () => undefined;
  let lost = false;
  let turn = 0;
  let closed = false;

  const schedule = (): void => {
    const at = clock.now() + pause * (0.75 + 0.5 * random.float());
    if (closed || at >= due) return;
    cancel();
    due = at;
    cancel = clock.after(at - clock.now(), () => {
      due = Number.POSITIVE_INFINITY;
      void look();
    });
  };

  /** Every other time one of the farther half is asked for the edge of the neighbourhood, which it sees best. */
  const look = async (): Promise<void> => {
    const edge = ++turn % 2 === 0;
    const neighbours = table.neighbours();
    const from = edge ? neighbours.length >> 1 : 0;
    const neighbour = neighbours[from + Math.floor(random.float() * (neighbours.length - from))];
    const news = neighbour ? await options.ask(neighbour, { edge }) : 0;
    pause = news > 0 ? FIRST_PAUSE : Math.min(2 * pause, LONGEST_PAUSE);
    schedule();
  };

  return {
    start: schedule,
    changed() {
      lost = true;
      pause = FIRST_PAUSE;
      schedule();
    },
    short() {
      if (!lost) return;
      lost = false;
      for (const neighbour of table.neighbours().slice(0, ASKED_AT_ONCE)) void options.ask(neighbour, { edge: false });
    },
    close() {
      closed = true;
      cancel();
    },
  };
}
