/**
 * Doing jobs for others (docs/protocol.md, rules J): what is asked is bounded before anything is spent on it, and who asks for nonsense, or for what does
 * not end, is not served again for a while.
 */
import { type Bytes, copy, equal } from '../base/bytes.ts';
import { asKadreelError, fail, hasCode } from '../base/errors.ts';
import type { Clock, Crypto } from '../base/ports.ts';
import { decode } from '../base/schema.ts';
import { type Deferred, deadline, deferred, orAbort } from '../base/timing.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { GroupDescriptor } from '../media/manifest.ts';
import { jobProblem, type MadeSegment, mostBytes, PINNED, type TranscodeJob, transcodeJobSchema } from '../media/transcode-job.ts';
import type { GroupStore } from './group-store.ts';
import type { CallContext, Handlers } from './handlers.ts';
import type { Link } from './link.ts';
import type { SegmentRequest } from './segments.ts';
import { trim } from './trim.ts';

export interface Helping {
  readonly handlers: Pick<Handlers, 'TRANSCODE'>;
  /** From now on jobs are done, and all linked nodes are told so. Once more with other slots tells them anew. */
  offer(work: HelpWork): void;
  /** No more: what is under work ends at once, with this reason. Does nothing when nothing was offered. */
  withdraw(reason: string): void;
  /** A new link: its node is told what is offered. */
  linked(link: Link): void;
  /** Since start. */
  readonly done: { readonly jobs: number; readonly seconds: number };
  close(): void;
}

/** What this node does for others. */
export interface HelpWork {
  /** Jobs at once. As many more may wait, their sources being fetched meanwhile. */
  readonly slots: number;
  /** Does one job. It must end soon after the signal fires. Rejects with `invalid` for a source that is none. */
  readonly run: (job: TranscodeJob, source: Bytes, signal: AbortSignal) => Promise<MadeSegment>;
}

export interface HelpingOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly groups: Pick<GroupStore, 'segment'>;
  /** Gets a segment of a group from whoever holds it. */
  readonly find: (segment: SegmentRequest, signal: AbortSignal) => Promise<Bytes>;
  /** A group's descriptor, where a segment of it was found. */
  readonly describe: (group: Key, signal: AbortSignal) => Promise<{ readonly descriptor: GroupDescriptor }>;
  /** Told of all that was made. `group` is what the source was found to be of; null where only who asked says so. */
  readonly onMade?: (job: TranscodeJob, made: MadeSegment, group: GroupDescriptor | null) => void;
  readonly links: () => readonly Link[];
  readonly limits?: Partial<HelpLimits>;
}

/** What one job may take. Milliseconds. */
export interface HelpLimits {
  /** To fetch its source: 16 MiB over 2 Mbit/s. */
  readonly fetching: number;
  /** To wait for its turn, and then to work: 30 s of 1080p take a slow machine two minutes. */
  readonly waiting: number;
  readonly working: number;
  /** For who asked for what came to nothing. */
  readonly shunned: number;
}

const LIMITS: HelpLimits = { fetching: 70_000, waiting: 240_000, working: 240_000, shunned: 600_000 };
/** Nodes that are remembered as shunned. */
const MAX_SHUNNED = 256;
/** Urgency of what a helper fetches and sends: pictures that somebody watches go first. */
const JOB_URGENCY = 150;

interface Source {
  readonly bytes: Bytes;
  readonly group: GroupDescriptor | null;
}

export function createHelping({ clock, crypto, groups, find, describe, onMade, links, limits }: HelpingOptions): Helping {
  const { fetching, waiting, working, shunned: pause } = { ...LIMITS, ...limits };
  const shunned = new Map<NodeId, number>();
  const queue: Deferred<void>[] = [];
  const done = { jobs: 0, seconds: 0 };
  let work: HelpWork | null = null;
  let over = new AbortController();
  /** Jobs accepted and not answered, and those of them that compute. */
  let accepted = 0;
  let computing = 0;

  const tell = (link: Link): void => {
    if (link.contact.open !== null) return; // It publishes nothing.
    link.call('HELP', { slots: work?.slots ?? 0, pinned: PINNED }).catch(() => undefined); // Who does not know the call asks for nothing.
  };
  const shun = (id: NodeId): void => {
    shunned.delete(id);
    shunned.set(id, clock.now() + pause);
    trim(shunned, MAX_SHUNNED);
  };

  /** From this disk where it is here, else from who asks; who only watches may not have it. */
  const sourceOf = async ({ group, segment, size, digest }: TranscodeJob, link: Link, signal: AbortSignal): Promise<Source> => {
    const limit = deadline(clock, fetching, signal);
    const request = { group, segment, urgency: JOB_URGENCY };
    try {
      const here = await groups.segment(group, segment);
      const sent = here
        ? null
        : await link.fetch({ ...request, size }, { signal: limit.signal }).catch((error: unknown) => {
            if (!hasCode(error, 'not-found')) throw error;
            return null;
          });
      const bytes = here ?? sent ?? (await find(request, limit.signal));
      if (bytes.length !== size || !equal(await crypto.digest(bytes), digest)) throw fail('invalid', 'The source does not match its hash.');
      // What was sent was compared with nothing but the hash in the job, which is the sender's as well.
      const described = sent ? null : await describe(group, limit.signal).catch(() => null);
      return { bytes, group: described?.descriptor ?? null };
    } finally {
      limit.done();
    }
  };

  const turn = async (slots: number, signal: AbortSignal): Promise<void> => {
    if (computing < slots) {
      computing++;
      return;
    }
    const mine = deferred<void>();
    queue.push(mine);
    const limit = deadline(clock, waiting, signal);
    try {
      await orAbort(mine.promise, limit.signal);
    } catch (error) {
      const at = queue.indexOf(mine);
      // Its turn may have come while it gave up.
      if (at >= 0) queue.splice(at, 1);
      else pass();
      throw error;
    } finally {
      limit.done();
    }
  };
  /** The place goes to who waits longest. */
  const pass = (): void => {
    const next = queue.shift();
    if (next) next.resolve();
    else computing--;
  };

  const compute = async (run: HelpWork['run'], job: TranscodeJob, at: { source: Bytes; from: NodeId; signal: AbortSignal }) => {
    const limit = deadline(clock, working, at.signal);
    try {
      return await orAbort(run(job, at.source, limit.signal), limit.signal);
    } catch (error) {
      // Too long, or no segment at all: that is the asker's doing. What only failed here is not.
      if (!at.signal.aborted && (limit.signal.aborted || hasCode(error, 'invalid'))) shun(at.from);
      throw asKadreelError(error);
    } finally {
      limit.done();
    }
  };

  const serve = async ({ slots, run }: HelpWork, job: TranscodeJob, { from, link, signal: asked }: CallContext) => {
    // Fires when the asker cancels or its link ends, and when the offer is withdrawn.
    const signal = AbortSignal.any([asked, over.signal]);
    const { bytes: source, group } = await sourceOf(job, link, signal);
    await turn(slots, signal);
    try {
      return { made: await compute(run, job, { source, from: from.id, signal }), group };
    } finally {
      pass();
    }
  };

  return {
    handlers: {
      async TRANSCODE({ job: encoded, window }, context) {
        const { from, relayed, stream } = context;
        if (relayed || !stream) throw fail('refused', 'Jobs need a link.');
        if (!work) throw fail('refused', 'I do no jobs now.');
        if ((shunned.get(from.id) ?? 0) > clock.now()) throw fail('refused', 'What you asked for before came to nothing.');
        const job = decode(transcodeJobSchema, copy(encoded));
        const problem = job ? jobProblem(job) : 'it is malformed';
        if (!job || problem) throw fail('invalid', `I do not do that job: ${problem}.`);
        if (accepted >= 2 * work.slots) throw fail('refused', 'I have enough to do.');
        accepted++;
        try {
          const { made, group } = await serve(work, job, context);
          if (made.bytes.length > mostBytes(job)) throw fail('internal', 'It came out too large.');
          onMade?.(job, made, group);
          done.jobs++;
          done.seconds += (job.end - job.start) / 1e6;
          const digest = await crypto.digest(made.bytes);
          stream({ bytes: made.bytes, credit: window, urgency: JOB_URGENCY });
          return { init: made.init, size: made.bytes.length, digest };
        } finally {
          accepted--;
        }
      },
    },
    offer(next) {
      work = next;
      if (over.signal.aborted) over = new AbortController();
      for (const link of links()) tell(link);
    },
    withdraw(reason) {
      if (!work) return;
      work = null;
      over.abort(fail('refused', reason));
      for (const link of links()) tell(link);
    },
    linked(link) {
      if (work) tell(link);
    },
    done,
    close() {
      work = null;
      over.abort(fail('closed', 'This node is leaving.'));
    },
  };
}
