/** Qualities that a video does not have, made while it is watched (docs/protocol.md, J9 to J14): which there can be, their jobs, and how what was made is named. Pure. */
import { type Bytes, concat, fromUtf8 } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto } from '../base/ports.ts';
import { encode, fixed, struct, uint } from '../base/schema.ts';
import { hashKey, type Key, keySchema } from '../kademlia/key.ts';
import { DIGEST_BYTES } from './group.ts';
import type { GroupReference } from './group-reference.ts';
import type { Catalogue } from './hls-responder.ts';
import { ladderFor, type RungName } from './ladder.ts';
import { type GroupDescriptor, groupDescriptorSchema, MAX_LISTED_GROUPS, type Rendition } from './manifest.ts';
import { pictureOf } from './transcode-chunk.ts';
import { JOB_LIMITS, PINNED, type TranscodeJob } from './transcode-job.ts';

/** A quality below all that a video has. */
export interface LowerQuality extends Pick<TranscodeJob, 'width' | 'height' | 'bitrate' | 'rate'> {
  readonly name: RungName;
  /** Pixels as shown, which differ from those above where the picture lies on its side. */
  readonly shown: { readonly width: number; readonly height: number };
  /** The number of the rendition that it is made of. */
  readonly source: number;
}

/** Renditions that a manifest may have. */
const MAX_RENDITIONS = 16;
/** A quality with at least this share of the lines of the smallest one that there is would help nobody. */
const TOO_LIKE = 0.9;
/** Thousandths of a frame a second where the rate is not known or varies. */
const USUAL_RATE = 30_000;
/** What the encoder may be ahead of its bitrate (s): its buffer, as in `argumentsFor`. */
const BUFFER = 2;
const MADE_DOMAIN = fromUtf8('kadreel/made/1\0');

/** What can be asked for of a video, best first; empty where there is nothing to make it of, or nothing smaller. */
export function lowerQualities({ manifest, groups }: Catalogue): readonly LowerQuality[] {
  const { renditions, additions } = manifest;
  const offered = [...renditions.entries()].filter(([index, { kind }]) => kind === 'video' && !additions.withdrawn.includes(index));
  const best = offered.find(([, { init }]) => pictureOf(init) !== null);
  const durations = best ? (groups[best[0]] ?? []).flatMap((group) => group.durations) : [];
  const isFit =
    additions.growing === null &&
    renditions.length < MAX_RENDITIONS &&
    durations.length > 0 &&
    durations.every((duration) => duration > 0 && duration <= 1000 * JOB_LIMITS.seconds);
  if (!best || !isFit || (groups[best[0]] ?? []).length > MAX_LISTED_GROUPS) return [];
  const [source, { width, height, frameRate, averageBandwidth, init }] = best;
  const least = Math.min(...offered.map(([, rendition]) => Math.min(rendition.width, rendition.height)));
  const lies = pictureOf(init)?.turned ?? false;
  return ladderFor({ width, height, frameRate: frameRate / 1000, bitrate: averageBandwidth, copied: true })
    .filter((rung) => Math.min(rung.width, rung.height) < TOO_LIKE * least)
    .map((rung) => ({
      name: rung.name,
      width: lies ? rung.height : rung.width,
      height: lies ? rung.width : rung.height,
      bitrate: rung.bitrate,
      rate: frameRate || USUAL_RATE,
      shown: { width: rung.width, height: rung.height },
      source,
    }))
    .filter(({ width, height, bitrate, rate }) => {
      return width * height <= JOB_LIMITS.pixels && bitrate <= JOB_LIMITS.bitrate && rate <= JOB_LIMITS.rate;
    });
}

interface Made extends Pick<TranscodeJob, 'group' | 'width' | 'height' | 'bitrate' | 'rate'> {
  /** SHA-256 of the source's initialisation segment. */
  readonly init: Bytes;
  readonly pinned: number;
}

const madeSchema = struct<Made>({
  group: keySchema,
  init: fixed(DIGEST_BYTES),
  width: uint(0xffff),
  height: uint(0xffff),
  bitrate: uint(JOB_LIMITS.bitrate),
  rate: uint(JOB_LIMITS.rate),
  pinned: uint(0xffff),
});

/** Where those who made a group of this quality say so (J12): the same for all jobs on one group of the source. */
export function madeTopic(crypto: Crypto, job: Pick<TranscodeJob, 'group' | 'init' | 'width' | 'height' | 'bitrate' | 'rate'>): Key {
  const { group, width, height, bitrate, rate } = job;
  const what = encode(madeSchema, { group, init: crypto.hash(job.init), width, height, bitrate, rate, pinned: PINNED });
  return hashKey(crypto, concat(MADE_DOMAIN, what));
}

/** A piece of a made group: its SHA-256 and its bytes. */
interface Piece {
  readonly digest: Bytes;
  readonly bytes: Bytes;
}

/** What a group came out as: its segments in order, then their initialisation segment. Null when that is more than a group may be. */
export function packMade(
  crypto: Crypto,
  made: { readonly segments: readonly Piece[]; readonly init: Piece; readonly durations: readonly number[] },
): { readonly key: Key; readonly encoded: Bytes; readonly pieces: readonly Bytes[] } | null {
  const { segments, init, durations } = made;
  const pieces = [...segments, init];
  const size = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (pieces.length > LIMITS.groupSegments || size > LIMITS.group) return null;
  const encoded = encode(groupDescriptorSchema, {
    segments: pieces.map(({ digest, bytes }, n) => ({ digest, size: bytes.length, duration: durations[n] ?? 0 })),
  });
  return { key: hashKey(crypto, encoded), encoded, pieces: pieces.map(({ bytes }) => bytes) };
}

/** Whether a descriptor can be that of a group made of one with these durations (ms). */
export function isMadeOf({ segments }: GroupDescriptor, durations: readonly number[]): boolean {
  return (
    segments.length === durations.length + 1 &&
    segments.every(({ duration }, n) => duration === (durations[n] ?? 0)) &&
    (segments.at(-1)?.size ?? 0) <= JOB_LIMITS.init
  );
}

/** The catalogue with the quality in it, behind all others. `groups` are what its segments are asked for by; `init` is its initialisation segment. */
export function withLower(
  { manifest, groups }: Catalogue,
  quality: LowerQuality,
  made: { readonly init: Bytes; readonly groups: readonly GroupReference[] },
): Catalogue {
  const { bitrate, shown, source } = quality;
  const longest = Math.max(1, ...made.groups.flatMap(({ durations }) => durations)) / 1000;
  const rendition: Rendition = {
    kind: 'video',
    codecs: pictureOf(made.init)?.codecs ?? '',
    // What the encoder may take at most: how much it takes is not known before it is made.
    bandwidth: Math.ceil((bitrate * (longest + BUFFER)) / longest),
    averageBandwidth: bitrate,
    ...shown,
    frameRate: manifest.renditions[source]?.frameRate ?? 0,
    init: made.init,
    groups: { type: 'inline', groups: made.groups },
  };
  return { manifest: { ...manifest, renditions: [...manifest.renditions, rendition] }, groups: [...groups, made.groups] };
}
