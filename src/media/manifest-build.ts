/** Makes a manifest out of what was cut. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Crypto, CutRendition } from '../base/ports.ts';
import { hashKey, type Key } from '../kademlia/key.ts';
import { type Additions, NO_ADDITIONS } from './additions.ts';
import type { PackedGroup } from './group.ts';
import { type IndexPage, listDuration, placeIndexes } from './index-pages.ts';
import type { Manifest, Rendition } from './manifest.ts';
import { manifestProblem } from './manifest-read.ts';

/** A rendition with all of its groups, in order. */
export interface FinishedRendition {
  readonly rendition: CutRendition;
  readonly groups: readonly PackedGroup[];
}

export interface ManifestFacts {
  /** At most 200 bytes of UTF-8. */
  readonly title: string;
  /** The publishing account's public key, 32 bytes. */
  readonly owner: Bytes;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly poster: Key | null;
  readonly additions?: Additions;
}

export interface BuiltManifest {
  readonly manifest: Manifest;
  readonly encoded: Bytes;
  /** The hash of `encoded`. */
  readonly key: Key;
  /** To be stored like the manifest itself. Empty for short videos. */
  readonly pages: readonly IndexPage[];
}

/**
 * `added` are qualities that an earlier version did not have. Throws `invalid` when the parts make no playable video, `too-large` when the description is
 * too long to be stored.
 */
export function buildManifest(
  crypto: Crypto,
  facts: ManifestFacts,
  first: readonly FinishedRendition[],
  added: readonly FinishedRendition[] = [],
): BuiltManifest {
  return describeVideo(crypto, facts, [...describeFirst(first), ...added.map(describeRendition)]);
}

/** The renditions of a first version, in their order: video first, best first. */
export function describeFirst(first: readonly FinishedRendition[]): readonly Rendition[] {
  return first.map(describeRendition).sort(byKindThenQuality);
}

/** The manifest of renditions whose lists are inline. Throws as `buildManifest`. */
export function describeVideo(crypto: Crypto, facts: ManifestFacts, renditions: readonly Rendition[]): BuiltManifest {
  const lists = renditions.map(({ groups }) => (groups.type === 'inline' ? listDuration(groups.groups) : 0));
  const { additions = NO_ADDITIONS, ...rest } = facts;
  const whole: Manifest = { version: 1, ...rest, duration: Math.max(0, ...lists), renditions, additions };
  const problem = manifestProblem(whole);
  if (problem) throw fail('invalid', `The video can't be described: ${problem}.`);
  const { manifest, encoded, pages } = placeIndexes(crypto, whole);
  return { manifest, encoded, key: hashKey(crypto, encoded), pages };
}

/** A rendition as a manifest says it, its list inline. */
export function describeRendition({ rendition, groups }: FinishedRendition): Rendition {
  const segments = groups.flatMap((group) => group.descriptor.segments);
  const bits = 8 * sumOf(segments, (segment) => segment.size);
  const milliseconds = sumOf(segments, (segment) => segment.duration);
  const averageBandwidth = milliseconds > 0 ? Math.ceil((1000 * bits) / milliseconds) : bits;
  return {
    kind: rendition.kind,
    codecs: rendition.codecs,
    bandwidth: Math.max(averageBandwidth, peakBandwidth(segments)),
    averageBandwidth,
    width: rendition.width,
    height: rendition.height,
    frameRate: Math.round(rendition.frameRate * 1000),
    init: rendition.init,
    groups: { type: 'inline', groups: groups.map((group) => group.reference) },
  };
}

/**
 * Bits a second of the heaviest run of segments that lasts between half and one and a half target durations (RFC 8216 §4.1): without the lower
 * bound a last segment of one frame would set it.
 */
function peakBandwidth(segments: readonly { readonly size: number; readonly duration: number }[]): number {
  const target = Math.max(0, ...segments.map((segment) => segment.duration));
  let peak = 0;
  for (let first = 0; first < segments.length; first++) {
    let bytes = 0;
    let milliseconds = 0;
    for (const segment of segments.slice(first)) {
      bytes += segment.size;
      milliseconds += segment.duration;
      if (milliseconds > 1.5 * target) break;
      if (milliseconds >= 0.5 * target && milliseconds > 0) peak = Math.max(peak, Math.ceil((8000 * bytes) / milliseconds));
    }
  }
  return peak;
}

function byKindThenQuality(a: Rendition, b: Rendition): number {
  if (a.kind !== b.kind) return a.kind === 'video' ? -1 : 1;
  return b.height - a.height || b.bandwidth - a.bandwidth;
}

function sumOf<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((sum, item) => sum + of(item), 0);
}
