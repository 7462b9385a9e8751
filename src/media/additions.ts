/** What a manifest may say besides picture and sound: pictures for the seek bar, captions, qualities that are offered no more, and that more is to come (M17). */
import type { Bytes } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { binary, decode, encode, list, refine, type Schema, string, struct, uint } from '../base/schema.ts';
import type { Key } from '../kademlia/key.ts';
import { type GroupReference, groupReferenceSchema, MAX_DURATION } from './group-reference.ts';

export interface Additions {
  readonly preview: SeekPreview | null;
  /** At most one for each language. */
  readonly captions: readonly Captions[];
  /** Numbers of renditions that players are offered no longer. They keep their places (M16). */
  readonly withdrawn: readonly number[];
  /** The end of the video has not been made yet; null when it is whole (M22). */
  readonly growing: Growing | null;
}

/** A video of which there is the beginning. */
export interface Growing {
  /** Milliseconds that it is going to last, as far as its file says. */
  readonly expected: number;
}

/** Pictures for the seek bar: JPEG sheets, each a grid of tiles that is filled row by row. */
export interface SeekPreview {
  /** Milliseconds between two tiles; the first one is of the beginning. */
  readonly interval: number;
  /** Tiles in all. */
  readonly count: number;
  /** Tiles across and down a sheet; the last sheet may have fewer rows. */
  readonly columns: number;
  readonly rows: number;
  /** Pixels of a tile. */
  readonly width: number;
  readonly height: number;
  /** Each segment of them is a sheet, in order. */
  readonly groups: readonly GroupReference[];
}

/** The captions of one language: WebVTT segments with the video's own times. */
export interface Captions {
  /** BCP 47, for example `pt-BR`. */
  readonly language: string;
  /** The language as people call it. */
  readonly name: string;
  readonly groups: readonly GroupReference[];
}

/** Picture and sound alone. */
export const NO_ADDITIONS: Additions = { preview: null, captions: [], withdrawn: [], growing: null };

/** Languages of one video, and renditions of it (items). */
export const MAX_CAPTIONS = 24;
const MAX_RENDITIONS = 16;
/** Groups of one kind of addition (items): a sheet or a minute of captions each 64 times. */
const MAX_GROUPS = 64;
/** Pixels of a tile, and tiles along a side of a sheet: a browser must be able to decode it. */
const MAX_TILE = 1024;
const MAX_TILES = 64;
const MAX_COUNT = 100_000;
/** Bytes: the longest language tag that BCP 47 recommends to have room for, and a name. */
const LANGUAGE_BYTES = 35;
const NAME_BYTES = 80;
/** Additions of all kinds (items), known here or not. */
const MAX_PARTS = 64;

const groups = list(groupReferenceSchema, MAX_GROUPS);
const previewSchema = struct<SeekPreview>({
  interval: uint(MAX_DURATION),
  count: uint(MAX_COUNT),
  columns: uint(MAX_TILES),
  rows: uint(MAX_TILES),
  width: uint(MAX_TILE),
  height: uint(MAX_TILE),
  groups,
});
const captionsSchema = struct<Captions>({ language: string(LANGUAGE_BYTES), name: string(NAME_BYTES), groups });
const withdrawnSchema = list(uint(MAX_RENDITIONS - 1), MAX_RENDITIONS);
const growingSchema = struct<Growing>({ expected: uint(MAX_DURATION) });

/** What each kind is on the wire. */
const TAGS = { preview: 0, captions: 1, withdrawn: 2, growing: 3 } as const;

interface Part {
  readonly tag: number;
  readonly body: Bytes;
}

/** A list of tagged bodies, so that a reader passes over what it does not know. */
export const additionsSchema: Schema<Additions> = refine(list(struct<Part>({ tag: uint(255), body: binary(LIMITS.value) }), MAX_PARTS), {
  parse: parseParts,
  format: formatParts,
});

function parseParts(parts: readonly Part[]): Additions | null {
  const bodiesOf = <T>(tag: number, schema: Schema<T>): readonly (T | null)[] =>
    parts.filter((part) => part.tag === tag).map(({ body }) => decode(schema, body));
  const [preview = null, ...morePreviews] = bodiesOf(TAGS.preview, previewSchema);
  const captions = bodiesOf(TAGS.captions, captionsSchema);
  const withdrawn = bodiesOf(TAGS.withdrawn, withdrawnSchema);
  const [growing = null] = bodiesOf(TAGS.growing, growingSchema);
  // A seek bar without pictures is no harm: strange ones are as good as none. So it is with captions.
  return {
    preview: preview && morePreviews.length === 0 && isPreview(preview) ? preview : null,
    captions: captions.filter((one) => one !== null && isCaptions(one)).slice(0, MAX_CAPTIONS) as Captions[],
    withdrawn: withdrawn.flatMap((numbers) => numbers ?? []),
    growing,
  };
}

function formatParts({ preview, captions, withdrawn, growing }: Additions): readonly Part[] {
  return [
    ...(preview ? [{ tag: TAGS.preview, body: encode(previewSchema, preview) }] : []),
    ...captions.map((one) => ({ tag: TAGS.captions, body: encode(captionsSchema, one) })),
    ...(withdrawn.length > 0 ? [{ tag: TAGS.withdrawn, body: encode(withdrawnSchema, withdrawn) }] : []),
    ...(growing ? [{ tag: TAGS.growing, body: encode(growingSchema, growing) }] : []),
  ];
}

/** Whether there are none. */
export function isPlain({ preview, captions, withdrawn, growing }: Additions): boolean {
  return preview === null && captions.length === 0 && withdrawn.length === 0 && growing === null;
}

/** A language tag as it may stand in a playlist (RFC 5646 §2.1, without what is rare or private). */
export function isLanguage(tag: string): boolean {
  return tag.length <= LANGUAGE_BYTES && /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(tag);
}

/** Whether a name can stand in a playlist's quoted string (RFC 8216 §4.2): no quotes, no line breaks, no control characters. */
function isName(name: string): boolean {
  return name.trim() !== '' && !/["\p{Cc}\p{Zl}\p{Zp}]/u.test(name);
}

function isCaptions({ language, name, groups: own }: Captions): boolean {
  return isLanguage(language) && isName(name) && areGroups(own);
}

function isPreview({ interval, count, columns, rows, width, height, groups: own }: SeekPreview): boolean {
  const sheets = own.reduce((sum, { durations }) => sum + durations.length, 0);
  const isWhole = [interval, count, columns, rows, width, height].every((value) => value > 0);
  return isWhole && areGroups(own) && sheets === Math.ceil(count / (columns * rows));
}

function areGroups(own: readonly GroupReference[]): boolean {
  return own.length > 0 && own.every(({ durations }) => durations.length > 0);
}

/** All groups that the additions are kept in. */
export function groupsOfAdditions({ preview, captions }: Additions): readonly Key[] {
  return [...(preview?.groups ?? []), ...captions.flatMap((one) => one.groups)].map(({ key }) => key);
}
