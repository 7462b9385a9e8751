/** What a video must bring along so that its smaller pictures can be made by several. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Clock, Crypto, Random, Transcoder } from '../base/ports.ts';
import type { Rung } from '../media/ladder.ts';
import type { FinishedRendition } from '../media/manifest-build.ts';
import { pictureOf } from '../media/transcode-chunk.ts';
import { JOB_LIMITS, jobProblem, type TranscodeJob } from '../media/transcode-job.ts';
import type { DhtNode } from '../node/dht-node.ts';
import type { SharedWork } from './api.ts';
import type { BadHelpers } from './bad-helpers.ts';
import { doJob } from './chunk-work.ts';
import { makeInOrder } from './quality-order.ts';
import type { SharedQuality } from './share.ts';
import { createSharing, type Sharing } from './share-transcode.ts';

export interface QualitySharingOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly transcoder: Pick<Transcoder, 'convert' | 'decodes'>;
  readonly node: Pick<DhtNode, 'helpers' | 'groups'>;
  readonly bad: BadHelpers;
  /** The picture that is stored, and the microseconds at which its segments start and the last one ends. */
  readonly picture: FinishedRendition;
  readonly starts: readonly number[];
  readonly end: number;
  /** The share of helpers' work that is made twice, as it is set now. */
  readonly checkShare: () => number;
  readonly onWork: (work: SharedWork) => void;
  readonly signal: AbortSignal;
}

/** The encoder reckons with so many thousandths of a frame a second where the rate is not known or varies. */
const USUAL_RATE = 30_000;
/** What is told of who does what comes no oftener (ms). */
const TELL_INTERVAL = 250;

/** All that making qualities needs besides when others may help: it is loaded after the rest. */
export interface QualitySharing extends Sharing {
  /** A rung as its jobs want it; null when no job may be so large. */
  qualityOf(rung: Rung): SharedQuality | null;
  readonly makeInOrder: typeof makeInOrder;
  readonly repaired: typeof repaired;
}

/** Null for a picture that no job can be made of: another codec, or a segment that is too long. */
export function openQualitySharing(options: QualitySharingOptions): QualitySharing | null {
  const { picture, starts, end, node, transcoder, clock } = options;
  const { init } = picture.rendition;
  const sources = sourcesOf(options);
  const fits = (source: (typeof sources)[number]): boolean =>
    jobProblem({ ...source, width: 16, height: 16, bitrate: 1, rate: 1 }) === null;
  if (!pictureOf(init) || init.length > JOB_LIMITS.init || starts.length !== sources.length || !(end > 0) || !sources.every(fits))
    return null;
  let waiting = false;
  const sharing = createSharing({
    ...options,
    helpers: node.helpers,
    sources,
    async read(index) {
      const source = sources[index];
      const bytes = source && (await node.groups.segment(source.group, source.segment));
      if (!bytes) throw fail('not-found', 'A segment of this video is not on this disk any more.');
      return bytes;
    },
    make: (job, source, signal) => doJob(transcoder, job, { source, signal }),
    decodes: (video, pictures, signal) => transcoder.decodes(video, pictures, signal),
    onWork(work) {
      if (waiting || !work().workers.some(({ id }) => id !== 'own')) return;
      waiting = true;
      clock.after(TELL_INTERVAL, () => {
        waiting = false;
        if (!options.signal.aborted) options.onWork(work());
      });
    },
  });
  return Object.assign(sharing, { qualityOf: (rung: Rung) => sharedQualityOf(rung, picture), makeInOrder, repaired });
}

function sourcesOf({
  picture,
  starts,
  end,
}: QualitySharingOptions): readonly Omit<TranscodeJob, 'width' | 'height' | 'bitrate' | 'rate'>[] {
  const { init } = picture.rendition;
  const segments = picture.groups.flatMap(({ key, descriptor }) =>
    descriptor.segments.map(({ size, digest }, segment) => ({ group: key, segment, size, digest, init })),
  );
  return segments.map((segment, n) => ({ ...segment, start: starts[n] ?? 0, end: starts[n + 1] ?? end }));
}

function sharedQualityOf({ name, width, height, bitrate }: Rung, { rendition }: FinishedRendition): SharedQuality | null {
  const rate = Math.round(1000 * rendition.frameRate) || USUAL_RATE;
  if (width * height > JOB_LIMITS.pixels || bitrate > JOB_LIMITS.bitrate || rate > JOB_LIMITS.rate) return null;
  const lies = pictureOf(rendition.init)?.turned ?? false;
  const [across, down] = lies ? [height, width] : [width, height];
  return { name, width: across, height: down, bitrate, rate, shown: { width, height, frameRate: rendition.frameRate } };
}

/** The segments of a rendition, with some of them replaced. `read` gets the others from the disk. */
async function* repaired(
  { rendition, groups }: FinishedRendition,
  options: {
    readonly repairs: ReadonlyMap<number, Bytes>;
    readonly durations: readonly number[];
    readonly read: (group: FinishedRendition['groups'][number]['key'], segment: number) => Promise<Bytes | null>;
  },
) {
  yield { type: 'rendition', rendition } as const;
  let n = 0;
  for (const { key, descriptor } of groups) {
    for (const segment of descriptor.segments.keys()) {
      const bytes = options.repairs.get(n) ?? (await options.read(key, segment));
      if (!bytes) throw fail('not-found', 'A segment of this quality is not on this disk any more.');
      yield { type: 'segment', rendition: rendition.index, bytes, duration: options.durations[n] ?? 0 } as const;
      n++;
    }
  }
}
