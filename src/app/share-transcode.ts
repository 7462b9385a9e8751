/**
 * Shares the making of smaller pictures out among this tab and its helpers (design §9): each segment of each quality is a job. What is lost, slow or refused
 * goes to others, the first good one wins; all is checked by its boxes, some by making it twice; who gave something wrong is dropped, and its work redone.
 */
import { type Bytes, concat, equal } from '../base/bytes.ts';
import { asKadreelError, fail, hasCode } from '../base/errors.ts';
import type { Cancel, Clock, Crypto, Random } from '../base/ports.ts';
import { abortError, wait } from '../base/timing.ts';
import type { NodeId } from '../kademlia/key.ts';
import { pictureOf, readSource, segmentProblem } from '../media/transcode-chunk.ts';
import type { MadeSegment, TranscodeJob } from '../media/transcode-job.ts';
import type { Helpers } from '../node/helpers.ts';
import type { SharedWork, WorkOutcome } from './api.ts';
import type { BadHelpers } from './bad-helpers.ts';
import { type Attempt, costOf, createJobBoard, type Task, type WorkerId } from './job-board.ts';
import { createShare, isSettled, type OpenShare, type Share, type SharedQuality } from './share.ts';
import { createWorkTimeline, type WorkTimeline } from './work-timeline.ts';

export interface Sharing {
  /** Begins a quality, behind those that are under way. So many of its first segments are there already. */
  begin(quality: SharedQuality, from?: number): Share;
  /** Whether this tab does jobs too. Else it only compares, and only what nobody else can. */
  ownWorks: boolean;
  /** Helpers that may be asked now. */
  helpers(): number;
  /** Milliseconds until a quality that was begun is made; null when nobody works on it. */
  timeLeft(quality: string): number | null;
  /** Resolves when nothing that was made is in doubt. Rejects with `aborted`. */
  settled(): Promise<void>;
  readonly work: SharedWork;
  readonly timeline: WorkTimeline;
  close(): void;
}

export interface SharingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Pick<Crypto, 'digest'>;
  readonly helpers: Pick<Helpers, 'list' | 'onChange' | 'ask'>;
  readonly bad: BadHelpers;
  /** The segments of the source, in order: what their jobs have in common. */
  readonly sources: readonly Omit<TranscodeJob, 'width' | 'height' | 'bitrate' | 'rate'>[];
  /** The bytes of a segment of the source, from this disk. */
  readonly read: (index: number) => Promise<Bytes>;
  /** Does a job here. */
  readonly make: (job: TranscodeJob, source: Bytes, signal: AbortSignal) => Promise<MadeSegment>;
  /** Whether a piece of video can be decoded to so many pictures; null where nobody can say. */
  readonly decodes: (video: Bytes, pictures: number, signal: AbortSignal) => Promise<boolean | null>;
  /** The share of helpers' work that is made twice, 0 to 1, at this moment. */
  readonly checkShare: () => number;
  /** Called when something has changed, with what tells how it is then. */
  readonly onWork: (work: () => SharedWork) => void;
  readonly signal: AbortSignal;
}

/** A helper has so long to answer at least, and so much of what it should take (ms): work that is late goes to somebody else long before. */
const LEAST_ALLOWED = 60_000;
const MOST_ALLOWED = 600_000;
const PATIENCE = 4;
/** A helper is left alone for so long when it said no, did not answer, or something else failed (ms). */
const REST = { refused: 10_000, timeout: 60_000, failed: 5_000 } as const;
/** A helper that takes so many times as long as the quickest gets one job at a time. */
const SLOW = 2;
/** Who waits for something looks again so often (ms): work becomes late without a sound. */
const LOOK = 1_000;

export function createSharing(options: SharingOptions): Sharing {
  const { clock, random, crypto, helpers, bad, sources, signal } = options;
  const board = createJobBoard();
  const timeline = createWorkTimeline(clock);
  const shares = new Map<string, OpenShare>();
  const aborts = new Map<Attempt, AbortController>();
  const resting = new Map<NodeId, number>();
  let cancelLook: Cancel = () => undefined;
  let closed = false;
  let ownWorks = false;

  const fitHelpers = () => helpers.list().filter(({ id }) => !bad.has(id) && (resting.get(id) ?? 0) <= clock.now());
  /** Gives everybody who is free something to do. */
  const pump = (): void => {
    if (closed) return;
    const fit = fitHelpers();
    const quickest = Math.min(...fit.map(({ id }) => board.estimate(id, 1)));
    for (const { id, slots } of fit) while (busy(id) < slots && give(id, { checks: true })) undefined;
    for (const { id, slots } of fit) {
      // It fetches the next source while it works. A slow one would only keep others from what it takes.
      if (board.estimate(id, 1) > SLOW * quickest) continue;
      while (busy(id) < 2 * slots && give(id, { checks: true })) undefined;
    }
    if (busy('own') === 0) give('own', { checks: ownWorks || fit.length < 2 });
    options.onWork(work);
    cancelLook();
    if (board.tasks.some((task) => !isSettled(task))) cancelLook = clock.after(LOOK, pump);
  };
  const busy = (worker: WorkerId): number => [...board.attempts].filter(({ by }) => by === worker).length;
  const give = (worker: WorkerId, { checks }: { readonly checks: boolean }): boolean => {
    const attempt = board.next(worker, {
      now: clock.now(),
      checks,
      reach: (name) => (worker === 'own' && !ownWorks ? 0 : (shares.get(name)?.reach() ?? 0)),
    });
    if (attempt) void run(attempt);
    return attempt !== null;
  };

  const run = async (attempt: Attempt): Promise<void> => {
    const { task, by } = attempt;
    const abort = new AbortController();
    aborts.set(attempt, abort);
    const end = timeline.begin({ worker: by, quality: task.quality, segment: task.index });
    let outcome: WorkOutcome = 'lost';
    try {
      const made = await madeBy(attempt, abort.signal);
      if (abort.signal.aborted) return;
      const problem = by === 'own' ? null : await problemOf(task, made);
      if (abort.signal.aborted) return;
      if (problem) {
        outcome = 'wrong';
        board.end(attempt, { made: false, now: clock.now() });
        if (by !== 'own') caught(by);
        return;
      }
      const digest = await crypto.digest(concat(made.init, made.bytes));
      if (abort.signal.aborted) return;
      board.end(attempt, { made: true, now: clock.now() });
      outcome = judge(attempt, made, digest);
    } catch (error) {
      if (!abort.signal.aborted) failed(attempt, error);
    } finally {
      aborts.delete(attempt);
      board.end(attempt, { made: false, now: clock.now() });
      end(outcome);
      pump();
    }
  };

  const madeBy = async ({ task, by, from, expected }: Attempt, abort: AbortSignal): Promise<MadeSegment> => {
    if (by === 'own') return options.make(task.job, await options.read(task.index), abort);
    const deadline = Math.min(Math.max(LEAST_ALLOWED, PATIENCE * (expected - from)), MOST_ALLOWED);
    return helpers.ask(by, task.job, { deadline, signal: abort });
  };

  const problemOf = async ({ job, index }: Task, made: MadeSegment): Promise<string | null> => {
    const chunk = readSource(job, await options.read(index));
    const problem = segmentProblem(job, chunk, made);
    if (problem) return problem;
    return (await options.decodes(concat(made.init, made.bytes), chunk.times.length, signal)) === false ? 'it can’t be decoded' : null;
  };

  /** What a good-looking result changes. */
  const judge = ({ task, by, kind }: Attempt, made: MadeSegment, digest: Bytes): WorkOutcome => {
    const share = shares.get(task.quality);
    if (!share || share.failure) return 'spare';
    const { result } = task;
    if (by === 'own') return ownResult(share, { task, made, digest });
    if (kind === 'check' && result) {
      if (equal(result.digest, digest)) {
        task.check = 'none';
        task.checked = true;
        share.changed();
        return 'checked';
      }
      // The word of one who is known to be wrong counts less than anybody's.
      if (result.by === 'own' || !bad.has(result.by)) return dispute(share, { task, by, digest });
      task.check = 'none';
      accept(share, { task, by, made, digest });
      return 'made';
    }
    if (result) return equal(result.digest, digest) ? 'spare' : dispute(share, { task, by, digest });
    share.header ??= { init: made.init, by };
    if (!equal(share.header.init, made.init)) return dispute(share, { task, by, digest });
    accept(share, { task, by, made, digest });
    if (random.float() < options.checkShare()) task.check = 'anybody';
    return 'made';
  };

  /** Two differ: this tab makes it once more, and knows. */
  const dispute = (share: OpenShare, { task, by, digest }: { task: Task; by: WorkerId; digest: Bytes }): WorkOutcome => {
    task.suspects.push({ by, digest });
    task.check = 'own';
    cancel((attempt) => attempt.task === task);
    share.changed();
    return 'spare';
  };

  const ownResult = (share: OpenShare, { task, made, digest }: { task: Task; made: MadeSegment; digest: Bytes }): WorkOutcome => {
    const others = [...task.suspects, ...(task.result ? [task.result] : [])];
    const isRight = task.result !== null && equal(task.result.digest, digest);
    const liars = new Set<WorkerId>(others.filter((other) => !equal(other.digest, digest)).map(({ by }) => by));
    task.suspects = [];
    task.check = 'none';
    task.checked = true;
    if (share.header && !equal(share.header.init, made.init)) {
      if (share.shown) broken(share, fail('corrupt', 'A helper gave a wrong header.'));
      liars.add(share.header.by);
      share.header = null;
    }
    share.header ??= { init: made.init, by: 'own' };
    if (!isRight) accept(share, { task, by: 'own', made, digest });
    for (const liar of liars) if (liar !== 'own') caught(liar);
    share.changed();
    return isRight ? 'checked' : 'made';
  };

  const accept = (share: OpenShare, { task, by, made, digest }: { task: Task; by: WorkerId; made: MadeSegment; digest: Bytes }): void => {
    task.result = { by, digest };
    task.checked = by === 'own';
    if (task.index < share.given) share.repairs.set(task.index, made.bytes);
    else share.ready.set(task.index, made.bytes);
    cancel((attempt) => attempt.task === task && attempt.kind === 'make');
    share.changed();
    if (share.done && share.tasks.every(isSettled)) share.onRepairs?.();
  };

  /** A helper gave something wrong. What nobody checked of its work is made anew, or, where it was given out, compared. */
  const caught = (id: NodeId): void => {
    bad.note(id);
    timeline.drop(id);
    cancel((attempt) => attempt.by === id);
    for (const task of board.tasks) {
      if (task.result?.by !== id || task.checked) continue;
      const share = shares.get(task.quality);
      if (share && task.index >= share.given) {
        share.ready.delete(task.index);
        task.result = null;
        if (task.check === 'anybody') task.check = 'none';
      } else if (task.check === 'none') task.check = 'anybody';
    }
    for (const share of shares.values()) {
      if (share.header?.by === id && !share.shown) share.header = null;
      share.changed();
    }
  };

  const failed = ({ task, by }: Attempt, error: unknown): void => {
    const share = shares.get(task.quality);
    if (by === 'own') {
      if (share) broken(share, asKadreelError(error));
      return;
    }
    if (hasCode(error, 'corrupt')) return caught(by);
    const rest = hasCode(error, 'refused') ? REST.refused : hasCode(error, 'timeout') ? REST.timeout : REST.failed;
    resting.set(by, clock.now() + rest);
    if (!hasCode(error, 'invalid') && !hasCode(error, 'internal')) return;
    task.failed.add(by);
    // If helpers can't, it may be the source: this tab finds out.
    if (task.check === 'none' && !task.result) task.check = 'own';
  };

  const cancel = (which: (attempt: Attempt) => boolean): void => {
    for (const attempt of [...board.attempts].filter(which)) {
      board.end(attempt, { made: false, now: clock.now() });
      aborts.get(attempt)?.abort(fail('aborted', 'It is not needed any more.'));
    }
  };
  const broken = (share: OpenShare, error: Error): void => {
    cancel(({ task }) => task.quality === share.quality.name);
    board.remove(share.quality.name);
    share.fail(error);
  };

  const timeLeft = (name: string): number | null => {
    const left = board.tasks.filter(({ quality, result }) => quality === name && !result).reduce((sum, { cost }) => sum + cost, 0);
    const workers: WorkerId[] = fitHelpers().map(({ id }) => id);
    if (ownWorks) workers.push('own');
    const speed = workers.reduce((sum, worker) => sum + 1 / board.estimate(worker, 1), 0);
    return workers.length > 0 ? left / speed : null;
  };
  const work = (): SharedWork => {
    const known = board.tasks.some(({ result }) => result);
    const times = [...shares.values()].filter(({ done, failure }) => !done && !failure).map(({ quality }) => timeLeft(quality.name));
    const secondsLeft = known && !times.includes(null) ? times.reduce<number>((sum, time) => sum + (time ?? 0), 0) / 1000 : null;
    return { workers: timeline.workers, speedUp: timeline.speedUp, secondsLeft };
  };
  const stopHearing = helpers.onChange(pump);

  const sharing: Sharing = {
    begin(quality, from = 0) {
      const { name, width, height, bitrate, rate } = quality;
      const picture = sources[0] && pictureOf(sources[0].init);
      const pixels = picture ? picture.width * picture.height : width * height;
      const left = [...sources.entries()].slice(from);
      const tasks = left.map(([index, source]): Task => {
        const job = { ...source, width, height, bitrate, rate };
        return {
          quality: name,
          index,
          job,
          cost: costOf(job, pixels),
          result: null,
          suspects: [],
          checked: false,
          check: 'none',
          failed: new Set(),
        };
      });
      const share = createShare({
        ...{ quality, tasks, from, signal },
        onGiven: pump,
        onLeft: () => broken(share, signal.aborted ? abortError(signal) : fail('aborted', 'This quality is made by other means.')),
      });
      board.remove(name);
      shares.set(name, share);
      board.add(tasks);
      pump();
      return share;
    },
    get ownWorks() {
      return ownWorks;
    },
    set ownWorks(works) {
      ownWorks = works;
      pump();
    },
    helpers: () => fitHelpers().length,
    timeLeft,
    async settled() {
      while (board.tasks.some(({ result, check }) => result && check !== 'none')) await wait(clock, LOOK, signal);
    },
    get work() {
      return work();
    },
    timeline,
    close() {
      if (closed) return;
      closed = true;
      stopHearing();
      cancelLook();
      cancel(() => true);
      signal.removeEventListener('abort', sharing.close);
    },
  };
  signal.addEventListener('abort', sharing.close, { once: true });
  return sharing;
}
