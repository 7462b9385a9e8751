/** Helpers that do the real jobs with a made-up converter, in virtual time, each in its own manner. */
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import type { SharedWork } from '../../../src/app/api.ts';
import { openBadHelpers } from '../../../src/app/bad-helpers.ts';
import type { SharedQuality } from '../../../src/app/share.ts';
import { createSharing, type Sharing, type SharingOptions } from '../../../src/app/share-transcode.ts';
import type { Bytes } from '../../../src/base/bytes.ts';
import type { CutEvent } from '../../../src/base/ports.ts';
import { wait } from '../../../src/base/timing.ts';
import type { NodeId } from '../../../src/kademlia/key.ts';
import type { MadeSegment, TranscodeJob } from '../../../src/media/transcode-job.ts';
import type { Helper } from '../../../src/node/helpers.ts';
import { doJob, type SyntheticSource, syntheticSource } from '../media/synthetic-video.ts';
import { type Bench, createBench } from '../node/support/bench.ts';

/** What a helper does with a job that it was asked: `right` is what it should give. May take its time, or throw. */
export type Manner = (right: MadeSegment, job: TranscodeJob, signal: AbortSignal) => Promise<MadeSegment>;

export interface SimulatedHelper {
  readonly id: NodeId;
  /** Jobs that it was asked to do, in order. */
  readonly asked: TranscodeJob[];
  /** It vanishes with its link, or comes back. */
  link(linked: boolean): void;
}

export interface SharingBench extends Bench {
  readonly source: SyntheticSource;
  readonly sharing: Sharing;
  /** What was told last. */
  readonly work: () => SharedWork;
  /** A linked helper that takes `msPerJob` for a job of 480p. */
  helper(options?: { msPerJob?: number; manner?: Manner }): SimulatedHelper;
  /** Makes a quality to its end; the times at which segments came, ms from now. */
  make(
    quality?: SharedQuality,
  ): Promise<{ readonly segments: readonly Bytes[]; readonly times: readonly number[]; readonly repairs: ReadonlyMap<number, Bytes> }>;
  /** What the quality should come out as. */
  right(quality?: SharedQuality): readonly Bytes[];
}

export const P480: SharedQuality = {
  ...{ name: '480p', width: 854, height: 480, bitrate: 1_300_000, rate: 30_000 },
  shown: { width: 854, height: 480, frameRate: 30 },
};
/** Two directions of 50 ms, and 1.5 MB over 20 Mbit/s: what fetching the source takes (ms). */
const FETCHING = 700;

/** `ownMs`: what a job takes this tab; null when it does none but to compare (in 2 s). */
export async function createSharingBench(
  options: { seconds?: number; ownMs?: number | null; seed?: number; checkShare?: number } & Partial<
    Pick<SharingOptions, 'decodes' | 'make'>
  > = {},
): Promise<SharingBench> {
  const { seconds = 60, ownMs = null, seed = 1, checkShare = 0.05, ...more } = options;
  const bench = createBench(seed);
  const { clock } = bench;
  const source = syntheticSource(seconds);
  const linked = new Map<NodeId, Helper>();
  const manners = new Map<NodeId, (job: TranscodeJob, signal: AbortSignal) => Promise<MadeSegment>>();
  const listeners = new Set<() => void>();
  const ended = new Map<NodeId, AbortController>();
  const over = new AbortController();
  let told: () => SharedWork = () => ({ workers: [], speedUp: null, secondsLeft: null });
  const right = (job: TranscodeJob): MadeSegment => doJob(job, source.segments[job.segment] as Bytes);
  const sharing = createSharing({
    ...bench,
    checkShare: () => checkShare,
    bad: await openBadHelpers({ store: createMemoryStore(1e6), clock }),
    helpers: {
      list: () => [...linked.values()],
      onChange(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      ask: (id, job, { signal, deadline }) => {
        const manner = manners.get(id);
        if (!manner || !linked.has(id)) return Promise.reject(Object.assign(new Error('gone'), {}));
        const either = AbortSignal.any([signal, ...[ended.get(id)?.signal ?? []].flat()]);
        return Promise.race([
          manner(job, either),
          wait(clock, deadline, either).then(() =>
            Promise.reject(Object.assign(new Error('late'), { name: 'KadreelError', code: 'timeout' })),
          ),
        ]);
      },
    },
    sources: source.sources,
    read: async (index) => source.segments[index] as Bytes,
    make: async (job, _, signal) => {
      await wait(clock, ownMs ?? 2_000, signal);
      return right(job);
    },
    decodes: async () => null,
    onWork: (work) => {
      told = work;
    },
    signal: over.signal,
    ...more,
  });
  sharing.ownWorks = ownMs !== null;
  const change = (): void => {
    for (const listener of listeners) listener();
  };

  return {
    ...bench,
    source,
    sharing,
    work: () => told(),
    helper({ msPerJob = 3_000, manner = async (made: MadeSegment) => made } = {}) {
      const { id } = bench.someone().contact;
      const asked: TranscodeJob[] = [];
      /** Its processor does one job after the other; the next one's source comes meanwhile. */
      let turn: Promise<unknown> = Promise.resolve();
      manners.set(id, async (job, signal) => {
        asked.push(job);
        await wait(clock, FETCHING, signal);
        const mine = turn.then(() => wait(clock, (msPerJob * job.width * job.height) / (854 * 480), signal));
        turn = mine.catch(() => undefined);
        await mine;
        return manner(right(job), job, signal);
      });
      const link = (is: boolean): void => {
        if (is) linked.set(id, { id, slots: 1 });
        else linked.delete(id);
        if (is) ended.set(id, new AbortController());
        else ended.get(id)?.abort();
        change();
      };
      link(true);
      return { id, asked, link };
    },
    async make(quality = P480) {
      const began = clock.now();
      const share = sharing.begin(quality);
      const segments: Bytes[] = [];
      const times: number[] = [];
      const take = async (event: CutEvent): Promise<void> => {
        if (event.type !== 'segment') return;
        segments.push(event.bytes);
        times.push(clock.now() - began);
      };
      const read = async (): Promise<void> => {
        for await (const event of share.events) await take(event);
      };
      await bench.run(read());
      return { segments, times, repairs: share.repairs };
    },
    right: (quality = P480) => source.sources.map((one) => right({ ...one, ...quality }).bytes),
  };
}
