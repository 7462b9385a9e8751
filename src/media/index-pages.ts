/** The list of a rendition's groups: inside the manifest while that stays one value, else on pages that are values of their own. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Crypto } from '../base/ports.ts';
import { decode, encode } from '../base/schema.ts';
import { hashKey, type Key } from '../kademlia/key.ts';
import {
  type GroupIndex,
  type GroupReference,
  MAX_LISTED_GROUPS,
  type Manifest,
  manifestSchema,
  pageSchema,
  type Rendition,
} from './manifest.ts';

/** A value to be stored beside the manifest. Its key is its hash. */
export interface IndexPage {
  readonly key: Key;
  readonly bytes: Bytes;
}

/**
 * Puts the manifest's lists where they fit: as long as the whole is more than a value may be, the longest list moves to pages. Throws
 * `too-large` when even that does not help.
 */
export function placeIndexes(crypto: Crypto, manifest: Manifest): { manifest: Manifest; encoded: Bytes; pages: readonly IndexPage[] } {
  const pages: IndexPage[] = [];
  let placed = manifest;
  for (;;) {
    const longest = longestInline(placed.renditions);
    if (!longest || longest.size <= LIMITS.value) {
      const encoded = encode(manifestSchema, placed);
      if (encoded.length <= LIMITS.value) return { manifest: placed, encoded, pages };
      if (!longest) throw fail('too-large', `The description of this video takes ${encoded.length} bytes; at most ${LIMITS.value} fit.`);
    }
    const moved = paginate(crypto, longest.groups);
    pages.push(...moved);
    const groups: GroupIndex = { type: 'pages', pages: moved.map((page) => page.key) };
    const renditions = placed.renditions.map((rendition) => (rendition === longest.rendition ? { ...rendition, groups } : rendition));
    placed = { ...placed, renditions };
  }
}

function longestInline(renditions: readonly Rendition[]): { rendition: Rendition; groups: readonly GroupReference[]; size: number } | null {
  let longest: { rendition: Rendition; groups: readonly GroupReference[]; size: number } | null = null;
  for (const rendition of renditions) {
    if (rendition.groups.type !== 'inline' || rendition.groups.groups.length === 0) continue;
    const size = listSize(rendition.groups.groups);
    if (!longest || size > longest.size) longest = { rendition, groups: rendition.groups.groups, size };
  }
  return longest;
}

/** Bytes of a list when it is encoded; infinite when it has more items than a list may have. */
function listSize(groups: readonly GroupReference[]): number {
  return groups.length > MAX_LISTED_GROUPS ? Number.POSITIVE_INFINITY : encode(pageSchema, groups).length;
}

/** The list on as few pages as hold it, in order. */
function paginate(crypto: Crypto, groups: readonly GroupReference[]): readonly IndexPage[] {
  const pages: IndexPage[] = [];
  let start = 0;
  while (start < groups.length) {
    // The largest count that fits; encoding grows with each group, so halving the interval finds it.
    let fits = 1;
    let tooMany = groups.length - start + 1;
    while (tooMany - fits > 1) {
      const middle = (fits + tooMany) >> 1;
      if (listSize(groups.slice(start, start + middle)) <= LIMITS.value) fits = middle;
      else tooMany = middle;
    }
    const bytes = encode(pageSchema, groups.slice(start, start + fits));
    pages.push({ key: hashKey(crypto, bytes), bytes });
    start += fits;
  }
  return pages;
}

/** Gets an immutable value whose hash has been checked. Rejects with `not-found`, `unreachable`, `aborted`, … */
export type GetValue = (key: Key) => Promise<Bytes>;

/**
 * The groups of each rendition, in the manifest's order. Pages are fetched side by side. Rejects with what `getValue` rejects with, and with
 * `corrupt` when a page is none, or when the segments do not last as long as the manifest says.
 */
export async function readIndexes(manifest: Manifest, getValue: GetValue): Promise<readonly (readonly GroupReference[])[]> {
  const lists = await Promise.all(manifest.renditions.map((rendition) => readIndex(rendition.groups, getValue)));
  if (Math.max(0, ...lists.map(listDuration)) !== manifest.duration)
    throw fail('corrupt', 'The video’s list of segments does not fit its duration.');
  return lists;
}

/** Milliseconds of all the segments. */
export function listDuration(groups: readonly GroupReference[]): number {
  return groups.reduce((sum, group) => sum + group.durations.reduce((total, duration) => total + duration, 0), 0);
}

async function readIndex(index: GroupIndex, getValue: GetValue): Promise<readonly GroupReference[]> {
  if (index.type === 'inline') return index.groups;
  const pages = await Promise.all(index.pages.map((key) => getValue(key)));
  return pages.flatMap((bytes) => {
    const page = decode(pageSchema, bytes);
    if (!page || page.some((group) => group.durations.length === 0))
      throw fail('corrupt', 'A part of the video’s list of segments is not valid.');
    return page;
  });
}
