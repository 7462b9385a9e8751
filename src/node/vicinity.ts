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
  /** A link fell silent. Many at once are a partition, or half of it: then it is looked around from far links on, again and again for an hour. */
  silenced(): void;
  /** Some quarter of a far bucket has no link, and nobody is known for it. */
  farShort(): void;
  close(): void;
}

export interface VicinityOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly table: RoutingTable;
  /** Asks a linked node for the nodes nearest to us, or for those at the edge of our neighbourhood. Gives how many were news. */
  readonly ask: (neighbour: Contact, how: { edge: boolean }) => Promise<number>;
  /** Asks neighbours for nodes in the far buckets. */
  readonly gather: () => Promise<void>;
  /** Looks for our own place from far links on. */
  readonly lookAround: () => Promise<void>;
}

/** Between two questions, ms: after a change, and when nothing was new for long (doubled each time between the two). */
const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 600_000;
/** Between two questions about the far buckets, ms, in the same way. */
const FIRST_FAR_PAUSE = 60_000;
const LONGEST_FAR_PAUSE = 3_600_000;
/** So many links that fall silent within so many ms are no departures one by one. */
const MANY_SILENT = { count: 4, within: 30_000 };
/** Looks around after that, the first after so many ms; the pause doubles each time. The last one is after two hours. */
const LOOK_AROUND = { first: 60_000, times: 7 };
/** The nearest, asked at once when neighbours are missing. */
const ASKED_AT_ONCE = 2;

export function createVicinity(options: VicinityOptions): Vicinity {
  const { clock, random, table } = options;
  let pause = FIRST_PAUSE;
  let due = Number.POSITIVE_INFINITY;
  let cancel: Cancel = () => undefined;
  let lost = false;
  let far = { pause: FIRST_FAR_PAUSE, next: 0 };
  let turn = 0;
  let silent: number[] = [];
  let round = Number.POSITIVE_INFINITY;
  let cancelRound: Cancel = () => undefined;
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

  const scheduleRound = (): void => {
    cancelRound();
    if (closed || round >= LOOK_AROUND.times) return;
    cancelRound = clock.after(LOOK_AROUND.first * 2 ** round * (0.75 + 0.5 * random.float()), () => {
      round++;
      options
        .lookAround()
        .catch(() => undefined)
        .finally(scheduleRound); // The next one comes later.
    });
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
    silenced() {
      const now = clock.now();
      silent = [...silent.filter((at) => at > now - MANY_SILENT.within), now];
      if (silent.length < MANY_SILENT.count) return;
      silent = [];
      round = 0;
      scheduleRound();
    },
    farShort() {
      const now = clock.now();
      if (now < far.next) return;
      // It doubles each time: where nobody is, asking again does not help; and what is found ends the asking.
      far = { pause: Math.min(2 * far.pause, LONGEST_FAR_PAUSE), next: now + far.pause };
      void options.gather();
    },
    close() {
      closed = true;
      cancel();
      cancelRound();
    },
  };
}
