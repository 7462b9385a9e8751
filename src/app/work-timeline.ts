/** Who did what and when, for a person to look at: the latest of it. */
import type { Clock } from '../base/ports.ts';
import type { SharedWork, WorkOutcome, WorkSpan } from './api.ts';
import type { WorkerId } from './job-board.ts';

export interface WorkTimeline {
  /** Something begins; call what is returned with what became of it. */
  begin(work: { readonly worker: WorkerId; readonly quality: string; readonly segment: number | null }): (outcome: WorkOutcome) => void;
  /** This worker is not asked again. */
  drop(worker: WorkerId): void;
  readonly workers: SharedWork['workers'];
  /** The same work by one alone would have taken so many times as long; null before the first job ended. */
  readonly speedUp: number | null;
}

/** Spans of a worker that are kept: more is no picture any more. */
const MOST_SPANS = 60;

export function createWorkTimeline(clock: Clock): WorkTimeline {
  const since = clock.now();
  const spans = new Map<WorkerId, WorkSpan[]>();
  const made = new Map<WorkerId, number>();
  const dropped = new Set<WorkerId>();
  /** Milliseconds in which somebody worked on what was used. */
  let worked = 0;
  let latest = since;
  const free = new Map<WorkerId, number>();

  return {
    begin({ worker, quality, segment }) {
      const mine = spans.get(worker) ?? [];
      spans.set(worker, mine);
      const span: WorkSpan = { quality, segment, from: clock.now(), until: null, outcome: null };
      mine.push(span);
      if (mine.length > MOST_SPANS) mine.shift();
      return (outcome) => {
        const now = clock.now();
        const from = Math.max(span.from, free.get(worker) ?? span.from);
        const at = mine.indexOf(span);
        // A helper is asked for the next while it works on one: what it waited is no work.
        if (at >= 0) mine[at] = { ...span, from: Math.min(from, now), until: now, outcome };
        if (outcome !== 'made' && outcome !== 'checked') return;
        free.set(worker, now);
        if (outcome !== 'made') return;
        worked += now - from;
        latest = now;
        made.set(worker, (made.get(worker) ?? 0) + 1);
      };
    },
    drop: (worker) => void dropped.add(worker),
    get workers() {
      return [...spans].map(([id, list]) => ({ id, made: made.get(id) ?? 0, dropped: dropped.has(id), spans: [...list] }));
    },
    get speedUp() {
      return latest > since && worked > 0 ? worked / (latest - since) : null;
    },
  };
}
