/**
 * Has pieces of a lower quality made by helpers, the most urgent first (docs/protocol.md, J9 to J11). What comes back is looked at before it counts; some is made twice;
 * who gave something wrong is dropped, and what nobody compared of its work is made anew.
 */
import { type Bytes, concat, equal } from '../base/bytes.ts';
import { fail, hasCode } from '../base/errors.ts';
import type { Cancel } from '../base/ports.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { MadeSegment, TranscodeJob } from '../media/transcode-job.ts';
import type { Helper } from '../node/helpers.ts';
import { type Attempt, costOf, createJobBoard, type Task, type WorkerId } from './job-board.ts';
import type { SharingOptions } from './share-transcode.ts';

export interface LowerWork {
  /** What is to be there, the most urgent first. What was wanted before and is not in it is not begun any more. */
  want(jobs: readonly TranscodeJob[]): void;
  /** What was made of this group is forgotten: it is made anew when it is wanted again. */
  forget(group: Key): void;
  /** Helpers that are linked and can be trusted, idle or not. */
  helpers(): number;
  /** Seconds of video that they make in a second, all together; null before the first piece. */
  speed(): number | null;
  /** True while the first comparison is under way: until then nothing should be shown. */
  inDoubt(): boolean;
  /** True while a piece of this group is being compared. */
  isCompared(group: Key): boolean;
  /** Has one piece of this group made a second time; false where nobody is there who could. */
  compare(group: Key): boolean;
  /** True when a piece of this group was made twice, or here, and came out the same. */
  isProved(group: Key): boolean;
  /** Whether somebody besides these could make a piece. They are not asked for it until `allow`. */
  canMake(job: TranscodeJob, besides: readonly NodeId[]): boolean;
  /** Whoever can may make this piece again. */
  allow(job: TranscodeJob): void;
  /** Who made pieces of a group that count. */
  makers(group: Key): readonly NodeId[];
  close(): void;
}

export interface LowerWorkOptions extends Pick<SharingOptions, 'clock' | 'random' | 'crypto' | 'helpers' | 'bad'> {
  /** Pixels of a picture of the source. */
  readonly sourcePixels: number;
  /** What is wrong with a piece, as far as it shows; null when nothing is. */
  readonly problemOf: (job: TranscodeJob, made: MadeSegment, signal: AbortSignal) => Promise<string | null>;
  /** Whether the source is not to be sent to a helper, though it is here. */
  readonly withholds: (job: TranscodeJob) => Promise<boolean>;
  /** Does a job here, as two helpers differ: whatever that takes. */
  readonly makeHere: (job: TranscodeJob, signal: AbortSignal) => Promise<MadeSegment>;
  readonly onMade: (job: TranscodeJob, made: MadeSegment) => void;
  /** What was made of this job does not count any more. */
  readonly onDropped: (job: TranscodeJob) => void;
  /** Nothing will come of it; called once, and nothing after it. */
  readonly onFailed: (error: Error) => void;
  /** Something else has changed. */
  readonly onChange: () => void;
  /** The share of pieces that are made twice, besides the first. */
  readonly checkShare: () => number;
}

/** A helper has so long to answer (ms): it may have to fetch the source first, and what is late is given to another one long before. */
const ALLOWED = 60_000;
/** A helper is left alone for so long when it said no, did not answer, or something else failed (ms). */
const REST = { refused: 5_000, timeout: 60_000, failed: 5_000 } as const;
/** Who waits for something looks again so often (ms): work becomes late without a sound. */
const LOOK = 1_000;

export function createLowerWork(options: LowerWorkOptions): LowerWork {
  const { clock, random, crypto, helpers, bad, sourcePixels } = options;
  const board = createJobBoard();
  const known = new Map<string, Task>();
  const aborts = new Map<Attempt, AbortController>();
  const resting = new Map<NodeId, number>();
  /** Who is not asked for a piece, though able to make it. */
  const barred = new Map<Task, Set<NodeId>>();
  let ranks = new Map<Task, number>();
  let header: { readonly init: Bytes; readonly by: WorkerId } | null = null;
  let proved = false;
  let closed = false;
  let cancelLook: Cancel = () => undefined;

  const usable = (): readonly Helper[] => helpers.list().filter(({ id }) => !bad.has(id) && (resting.get(id) ?? 0) <= clock.now());
  const busy = (id: WorkerId): number => [...board.attempts].filter(({ by }) => by === id).length;
  const open = (task: Task): boolean => !task.result && task.check === 'none' && ranks.has(task);

  const pump = (): void => {
    if (closed) return;
    const able = usable();
    for (const task of board.tasks) {
      // Nobody is there who could compare it.
      const others = able.filter(({ id }) => id !== task.result?.by && !task.failed.has(id));
      const isRunning = [...board.attempts].some((attempt) => attempt.task === task);
      if (task.check === 'anybody' && others.length === 0 && !isRunning) task.check = 'none';
    }
    if (!proved && able.length > 1) pair(able);
    // One at once each, then one more: its source is fetched while the one before is made.
    for (const each of [1, 2]) for (const { id, slots } of able) while (busy(id) < each * slots && begin(id)) undefined;
    if (board.tasks.some(({ check }) => check === 'own') && busy('own') === 0) begin('own');
    options.onChange();
    cancelLook();
    if (board.attempts.size > 0 || board.tasks.some(open)) cancelLook = clock.after(LOOK, pump);
  };
  /** The first piece is made by two at once. */
  const pair = (able: readonly Helper[]): void => {
    if (board.tasks.some(({ result, checked }) => result && !checked)) return;
    const first = board.tasks.filter(open).sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0))[0];
    for (const { id, slots } of first ? able : []) {
      const running = [...board.attempts].filter(({ task }) => task === first);
      if (!first || running.length > 1 || running.some(({ by }) => by === id) || first.failed.has(id) || busy(id) >= slots) continue;
      void run(board.give(first, id, clock.now()));
    }
  };
  const begin = (by: WorkerId): boolean => {
    const isOwn = by === 'own';
    const rank = (task: Task): number | null => ranks.get(task) ?? null;
    const attempt = board.next(by, { now: clock.now(), checks: !isOwn, reach: () => (isOwn ? 0 : Number.POSITIVE_INFINITY), rank });
    if (attempt) void run(attempt);
    return attempt !== null;
  };

  const run = async (attempt: Attempt): Promise<void> => {
    const { task, by } = attempt;
    const abort = new AbortController();
    aborts.set(attempt, abort);
    try {
      const made =
        by === 'own'
          ? await options.makeHere(task.job, abort.signal)
          : await helpers.ask(by, task.job, { deadline: ALLOWED, signal: abort.signal, withhold: await options.withholds(task.job) });
      const problem = by === 'own' ? null : await options.problemOf(task.job, made, abort.signal);
      const digest = await crypto.digest(concat(made.init, made.bytes));
      if (abort.signal.aborted) return;
      board.end(attempt, { made: problem === null, now: clock.now() });
      if (by === 'own') ownResult(task, made, digest);
      else if (problem) caught(by);
      else judge(task, by, { made, digest });
    } catch (error) {
      if (!abort.signal.aborted) failed(attempt, error);
    } finally {
      aborts.delete(attempt);
      board.end(attempt, { made: false, now: clock.now() });
      pump();
    }
  };

  const judge = (task: Task, by: NodeId, { made, digest }: { made: MadeSegment; digest: Bytes }): void => {
    const { result } = task;
    header ??= { init: made.init, by };
    if (result && equal(result.digest, digest)) {
      task.check = 'none';
      task.checked = true;
      proved = true;
    } else if (result || !equal(header.init, made.init)) dispute(task, by, digest);
    else accept(task, { by, made, digest });
  };
  const accept = (task: Task, { by, made, digest }: { by: WorkerId; made: MadeSegment; digest: Bytes }): void => {
    const isFirst = !proved && !board.tasks.some(({ check }) => check !== 'none');
    const isComparable = by !== 'own' && usable().some(({ id }) => id !== by && !task.failed.has(id));
    task.result = { by, digest };
    task.checked = by === 'own';
    task.check = isComparable && (isFirst || random.float() < options.checkShare()) ? 'anybody' : 'none';
    if (task.check === 'none') cancel((attempt) => attempt.task === task);
    options.onMade(task.job, made);
  };
  /** Two differ: this tab makes it once more, and knows. */
  const dispute = (task: Task, by: NodeId, digest: Bytes): void => {
    task.suspects.push({ by, digest }, ...(task.result ? [task.result] : []));
    drop(task);
    task.check = 'own';
    cancel((attempt) => attempt.task === task);
  };
  const ownResult = (task: Task, made: MadeSegment, digest: Bytes): void => {
    const liars = new Set(task.suspects.filter((one) => !equal(one.digest, digest)).map(({ by }) => by));
    task.suspects = [];
    proved = true;
    if (header && !equal(header.init, made.init)) {
      // All that there is has the wrong one.
      liars.add(header.by);
      for (const other of board.tasks) if (other.result) drop(other);
    }
    header = { init: made.init, by: 'own' };
    accept(task, { by: 'own', made, digest });
    for (const liar of liars) if (liar !== 'own') caught(liar);
  };

  const drop = (task: Task): void => {
    const had = task.result !== null;
    task.result = null;
    task.checked = false;
    if (task.check === 'anybody') task.check = 'none';
    if (had) options.onDropped(task.job);
  };
  const caught = (id: NodeId): void => {
    bad.note(id);
    cancel((attempt) => attempt.by === id);
    for (const task of board.tasks) if (task.result?.by === id && !task.checked) drop(task);
    if (header?.by === id && !board.tasks.some(({ result }) => result)) header = null;
  };
  const failed = ({ task, by }: Attempt, error: unknown): void => {
    if (by === 'own') {
      const what = 'Two helpers gave different pictures, and this tab could not find out which are right.';
      return giveUp(fail('corrupt', what, error));
    }
    if (hasCode(error, 'corrupt')) return caught(by);
    if (hasCode(error, 'not-found') || hasCode(error, 'unreachable') || hasCode(error, 'invalid') || hasCode(error, 'internal')) {
      task.failed.add(by);
      const isLeft = ({ id }: Helper): boolean => !bad.has(id) && (!task.failed.has(id) || (barred.get(task)?.has(id) ?? false));
      if (!helpers.list().some(isLeft) && !task.result)
        giveUp(fail('not-found', 'None of those who help could get or make this part of the video.'));
      return;
    }
    const rest = hasCode(error, 'refused') ? REST.refused : hasCode(error, 'timeout') ? REST.timeout : REST.failed;
    resting.set(by, clock.now() + rest);
  };
  const giveUp = (error: Error): void => {
    if (closed) return;
    close();
    options.onFailed(error);
  };

  const cancel = (which: (attempt: Attempt) => boolean): void => {
    for (const attempt of [...board.attempts].filter(which)) {
      board.end(attempt, { made: false, now: clock.now() });
      aborts.get(attempt)?.abort(fail('aborted', 'It is not needed any more.'));
    }
  };
  const taskOf = (job: TranscodeJob): Task => {
    const name = `${job.group}/${job.segment}`;
    const present = known.get(name);
    if (present) return present;
    const task: Task = {
      ...{ quality: job.group, index: job.segment, job, cost: costOf(job, sourcePixels) },
      ...{ result: null, suspects: [], checked: false, check: 'none', failed: new Set() },
    };
    known.set(name, task);
    board.add([task]);
    return task;
  };
  const close = (): void => {
    if (closed) return;
    closed = true;
    stopHearing();
    cancelLook();
    cancel(() => true);
  };
  const stopHearing = helpers.onChange(pump);

  return {
    want(jobs) {
      const tasks = jobs.map(taskOf).filter(({ result }) => !result);
      const isSame = tasks.length === ranks.size && tasks.every((task, n) => ranks.get(task) === n);
      ranks = new Map(tasks.map((task, n) => [task, n]));
      cancel(({ task, kind }) => kind === 'make' && !ranks.has(task) && !task.result);
      if (!isSame) pump();
    },
    forget(group) {
      for (const { job } of board.tasks) if (job.group === group) known.delete(`${group}/${job.segment}`);
      cancel(({ task }) => task.quality === group);
      board.remove(group);
    },
    helpers: () => helpers.list().filter(({ id }) => !bad.has(id)).length,
    speed() {
      const [task] = board.tasks;
      const speeds = usable().flatMap(({ id }) => board.speed(id) ?? []);
      if (!task || speeds.length === 0) return null;
      return (1000 * speeds.reduce((sum, speed) => sum + speed, 0)) / costOf({ ...task.job, start: 0, end: 1e6 }, sourcePixels);
    },
    inDoubt: () => !proved && board.tasks.some(({ check }) => check !== 'none'),
    isCompared: (group) => board.tasks.some(({ quality, check }) => quality === group && check !== 'none'),
    compare(group) {
      const fits = ({ quality, result, failed }: Task): boolean =>
        quality === group && result !== null && usable().some(({ id }) => id !== result.by && !failed.has(id));
      const done = board.tasks.filter(fits);
      const task = done[Math.floor(random.float() * done.length)];
      if (!task) return false;
      task.check = 'anybody';
      pump();
      return true;
    },
    isProved: (group) => board.tasks.some(({ quality, checked }) => quality === group && checked),
    canMake(job, besides) {
      const task = taskOf(job);
      const own = barred.get(task) ?? new Set();
      for (const id of besides) if (!task.failed.has(id)) own.add(id);
      barred.set(task, own);
      for (const id of own) task.failed.add(id);
      return helpers.list().some(({ id }) => !bad.has(id) && !task.failed.has(id));
    },
    allow(job) {
      const task = taskOf(job);
      for (const id of barred.get(task) ?? []) task.failed.delete(id);
      barred.delete(task);
    },
    makers: (group) => {
      const made = board.tasks.filter(({ quality }) => quality === group).flatMap(({ result }) => result?.by ?? []);
      return [...new Set(made)].filter((by): by is NodeId => by !== 'own');
    },
    close,
  };
}
