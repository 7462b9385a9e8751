/** Who does which job: a pure book of what is to be made, what is under work, and how fast everybody is. Times in ms. */
import type { Bytes } from '../base/bytes.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { TranscodeJob } from '../media/transcode-job.ts';

/** Somebody who works: this tab, or a helper. */
export type WorkerId = 'own' | NodeId;

/** One segment of one quality. */
export interface Task {
  readonly quality: string;
  readonly index: number;
  readonly job: TranscodeJob;
  /** Work in it, in no unit: only ratios count. */
  readonly cost: number;
  /** The accepted result; null while there is none. */
  result: { readonly by: WorkerId; readonly digest: Bytes } | null;
  /** Results that differ from others: one of them is wrong. */
  suspects: { readonly by: WorkerId; readonly digest: Bytes }[];
  /** It was made twice, and came out the same; or this tab made it. */
  checked: boolean;
  /** It is to be made once more by another, and compared. `own`: by this tab, as two differ. */
  check: 'none' | 'anybody' | 'own';
  /** Who could not do it. */
  readonly failed: Set<WorkerId>;
}

/** A task in somebody's hands. */
export interface Attempt {
  readonly task: Task;
  readonly by: WorkerId;
  readonly kind: 'make' | 'check';
  readonly from: number;
  /** When it should be over, going by what is known of the worker. */
  readonly expected: number;
}

export interface JobBoard {
  /** New tasks, behind those that are there. */
  add(tasks: readonly Task[]): void;
  /** Takes tasks away, those under work included. */
  remove(quality: string): void;
  /** What this worker should do now; null when there is nothing for it. */
  next(worker: WorkerId, options: NextOptions): Attempt | null;
  /** Gives this worker this task to make, whoever else has it. */
  give(task: Task, worker: WorkerId, now: number): Attempt;
  /** An attempt is over. `made`: it led to a segment, whatever became of it. */
  end(attempt: Attempt, outcome: { readonly made: boolean; readonly now: number }): void;
  /** Milliseconds that a task should take this worker, alone. */
  estimate(worker: WorkerId, cost: number): number;
  /** Work that a worker does in a ms; null before its first job. */
  speed(worker: WorkerId): number | null;
  readonly tasks: readonly Task[];
  readonly attempts: ReadonlySet<Attempt>;
}

/** What may be given out. */
export interface NextOptions {
  readonly now: number;
  /** Whether it may compare the work of others, besides what only this tab can. */
  readonly checks: boolean;
  /** The first segment of a quality that is too far ahead of its reader. */
  readonly reach: (quality: string) => number;
  /** Which open task comes first: the least; null for one that is not wanted now. Left out: as they were added. */
  readonly rank?: (task: Task) => number | null;
}

/** Work in a ms of who has not shown what it can: ffmpeg.wasm with one thread, on a slow machine. */
const GUESS = 600;
/** Of the newest measurement in the average. */
const NEWEST = 0.4;
/** Working on a task twice is worth while when the second ends so much sooner, as a share of what the first still needs. */
const SOONER = 0.8;
/** Nobody works on a task besides two. */
const MAX_ATTEMPTS = 2;
/** Late by this factor, an attempt may never end. */
const LATE = 2;

/** Work in one segment: pictures are decoded at the source's size, and encoded at the new one. */
export function costOf(job: TranscodeJob, sourcePixels: number): number {
  const seconds = (job.end - job.start) / 1e6;
  return seconds * (0.4 * sourcePixels + job.width * job.height);
}

export function createJobBoard(): JobBoard {
  let tasks: Task[] = [];
  const attempts = new Set<Attempt>();
  const speeds = new Map<WorkerId, number>();
  /** When each worker last gave something back. */
  const ended = new Map<WorkerId, number>();

  const typical = (): number => {
    const known = [...speeds.values()].sort((a, b) => a - b);
    return known[known.length >> 1] ?? GUESS;
  };
  const estimate = (worker: WorkerId, cost: number): number => cost / (speeds.get(worker) ?? typical());
  const of = (task: Task): Attempt[] => [...attempts].filter((attempt) => attempt.task === task);

  const begin = (task: Task, by: WorkerId, { kind, now }: Pick<Attempt, 'kind'> & { now: number }): Attempt => {
    const queued = [...attempts].filter((attempt) => attempt.by === by).reduce((sum, attempt) => sum + attempt.task.cost, 0);
    const attempt: Attempt = { task, by, kind, from: now, expected: now + estimate(by, task.cost + queued) };
    attempts.add(attempt);
    return attempt;
  };

  const canCheck = (task: Task, worker: WorkerId, checks: boolean): boolean =>
    task.check !== 'none' &&
    (task.check === 'own' ? worker === 'own' : checks && !task.failed.has(worker)) &&
    task.result?.by !== worker &&
    of(task).length === 0;

  /** Under work elsewhere, and likely to be done sooner here. */
  const isSlow = (task: Task, worker: WorkerId, now: number): boolean => {
    const running = of(task);
    if (running.length === 0 || running.length >= MAX_ATTEMPTS || running.some(({ by }) => by === worker)) return false;
    const left = Math.min(
      ...running.map(({ expected, from }) => (now > from + LATE * (expected - from) ? Number.POSITIVE_INFINITY : expected - now)),
    );
    return estimate(worker, task.cost) < SOONER * left;
  };

  return {
    add(more) {
      tasks = [...tasks, ...more];
    },
    remove(quality) {
      tasks = tasks.filter((task) => task.quality !== quality);
      for (const attempt of [...attempts]) if (attempt.task.quality === quality) attempts.delete(attempt);
    },
    next(worker, { now, checks, reach, rank }) {
      const check = tasks.find((task) => canCheck(task, worker, checks));
      if (check) return begin(check, worker, { kind: 'check', now });
      let open = tasks.filter(
        (task) => !task.result && task.check === 'none' && !task.failed.has(worker) && task.index < reach(task.quality),
      );
      if (rank) {
        const ranked = open.map((task) => ({ task, at: rank(task) })).filter((one): one is { task: Task; at: number } => one.at !== null);
        open = ranked.sort((a, b) => a.at - b.at).map(({ task }) => task);
      }
      const fresh = open.find((task) => of(task).length === 0);
      const task = fresh ?? open.find((one) => isSlow(one, worker, now));
      return task ? begin(task, worker, { kind: 'make', now }) : null;
    },
    give: (task, worker, now) => begin(task, worker, { kind: 'make', now }),
    end(attempt, { made, now }) {
      if (!attempts.delete(attempt)) return;
      const { by, task, from } = attempt;
      const busy = now - Math.max(from, ended.get(by) ?? from);
      ended.set(by, now);
      if (!made || busy <= 0) return;
      const measured = task.cost / busy;
      const before = speeds.get(by);
      speeds.set(by, before === undefined ? measured : (1 - NEWEST) * before + NEWEST * measured);
    },
    estimate,
    speed: (worker) => speeds.get(worker) ?? null,
    get tasks() {
      return tasks;
    },
    attempts,
  };
}
