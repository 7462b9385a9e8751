/** Groups that are to be looked at, each at its time, with one timer for all and a few at once. */
import type { Cancel, Clock } from '../base/ports.ts';
import type { Key } from '../kademlia/key.ts';

export interface Agenda {
  /** The work for a group is done at `at` (ms), or earlier when that was planned before. */
  plan(group: Key, at: number): void;
  drop(group: Key): void;
  close(): void;
}

export interface AgendaOptions {
  readonly clock: Clock;
  /** Works under way at most. */
  readonly atOnce: number;
  /** Never begun for a group while the same is under way for it. Must not reject. */
  readonly work: (group: Key) => Promise<void>;
}

export function createAgenda({ clock, atOnce, work }: AgendaOptions): Agenda {
  const due = new Map<Key, number>();
  const working = new Set<Key>();
  let cancel: Cancel = () => undefined;
  let wakeAt = Number.POSITIVE_INFINITY;
  let closed = false;

  const begin = (group: Key): void => {
    due.delete(group);
    working.add(group);
    void work(group).finally(() => {
      working.delete(group);
      run();
    });
  };

  const earliest = (): number => {
    let at = Number.POSITIVE_INFINITY;
    for (const [group, planned] of due) if (!working.has(group)) at = Math.min(at, planned);
    return at;
  };

  const arm = (at: number): void => {
    if (closed || at >= wakeAt) return;
    cancel();
    wakeAt = at;
    cancel = clock.after(at - clock.now(), () => {
      wakeAt = Number.POSITIVE_INFINITY;
      run();
    });
  };

  function run(): void {
    const now = clock.now();
    for (const [group, at] of [...due]) {
      if (closed || working.size >= atOnce) return; // whoever ends goes on here
      if (at <= now && !working.has(group)) begin(group);
    }
    arm(earliest());
  }

  return {
    plan(group, at) {
      if (closed || at >= (due.get(group) ?? Number.POSITIVE_INFINITY)) return;
      due.set(group, at);
      if (working.size < atOnce && !working.has(group)) arm(at);
    },
    drop: (group) => void due.delete(group),
    close() {
      closed = true;
      cancel();
      due.clear();
    },
  };
}
