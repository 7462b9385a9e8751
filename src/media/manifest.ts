/** What a video is: renditions of segments, kept together in groups. All of it is immutable and found by hash. */
import type { Bytes } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { binary, fixed, list, nullable, refine, type Schema, string, struct, structAnd, time, uint, union } from '../base/schema.ts';
import { type Key, keySchema } from '../kademlia/key.ts';
import { type Additions, additionsSchema, isPlain, NO_ADDITIONS } from './additions.ts';
import { type GroupReference, groupReferenceSchema, MAX_DURATION } from './group-reference.ts';

export type { Additions, Captions, Growing, SeekPreview } from './additions.ts';
export type { GroupReference } from './group-reference.ts';

/** Names a video for ever: the key of the record that points to its current manifest. */
export type VideoId = Key;

export interface Manifest {
  readonly version: 1;
  /** At most 200 bytes. */
  readonly title: string;
  /** The publishing account's Ed25519 public key. */
  readonly owner: Bytes;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** Milliseconds: the longest rendition, as far as it is made. */
  readonly duration: number;
  /** Key of a picture (an immutable value; its first bytes say JPEG or WebP), or null. */
  readonly poster: Key | null;
  /**
   * Video first, best first; then audio; then what later versions added: players name a rendition by its number, so each keeps its place for ever.
   */
  readonly renditions: readonly Rendition[];
  /** What comes with picture and sound, for readers that know it. */
  readonly additions: Additions;
}

export interface Rendition {
  readonly kind: 'video' | 'audio';
  /** RFC 6381. */
  readonly codecs: string;
  /** Bits a second: of the heaviest segment (RFC 8216 §4.3.4.2, BANDWIDTH), and on average. */
  readonly bandwidth: number;
  readonly averageBandwidth: number;
  /** Pixels as shown; 0 for audio. */
  readonly width: number;
  readonly height: number;
  /** Thousandths of a frame a second; 0 when unknown, variable or audio. */
  readonly frameRate: number;
  /** The CMAF initialisation segment. */
  readonly init: Bytes;
  readonly groups: GroupIndex;
}

/** The groups of a rendition in order: inside the manifest while they fit, else on pages that are values of their own. */
export type GroupIndex =
  | { readonly type: 'inline'; readonly groups: readonly GroupReference[] }
  | { readonly type: 'pages'; readonly pages: readonly Key[] };

/** A segment in a group's descriptor. */
export interface SegmentDescriptor {
  /** SHA-256 of its bytes. */
  readonly digest: Bytes;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds. */
  readonly duration: number;
}

/** The content of a group. Its key is the hash of this, encoded. */
export interface GroupDescriptor {
  readonly segments: readonly SegmentDescriptor[];
}

const MAX_PAGES = 64;

/** Groups in one list (items): a list is in a value, so its bytes are what really bounds it. */
export const MAX_LISTED_GROUPS = 1024;
const groupList = list(groupReferenceSchema, MAX_LISTED_GROUPS);

/** One page of a rendition's groups. */
export const pageSchema: Schema<readonly GroupReference[]> = groupList;

const groupIndex: Schema<GroupIndex> = union<GroupIndex>({
  inline: [0, struct<{ groups: readonly GroupReference[] }>({ groups: groupList })],
  pages: [1, struct<{ pages: readonly Key[] }>({ pages: list(keySchema, MAX_PAGES) })],
});

const KINDS = ['video', 'audio'] as const;
const kind = refine<number, Rendition['kind']>(uint(1), { parse: (n) => KINDS[n] ?? null, format: (k) => KINDS.indexOf(k) });

const rendition = struct<Rendition>({
  kind,
  codecs: string(64),
  bandwidth: uint(0xffff_ffff),
  averageBandwidth: uint(0xffff_ffff),
  width: uint(0xffff),
  height: uint(0xffff),
  frameRate: uint(1_000_000),
  init: binary(4096),
  groups: groupIndex,
});

export const manifestSchema: Schema<Manifest> = structAnd<Manifest, 'additions'>(
  {
    version: refine<number, 1>(uint(255), { parse: (n) => (n === 1 ? 1 : null), format: (n) => n }),
    title: string(200),
    owner: fixed(32),
    created: time,
    duration: uint(MAX_DURATION),
    poster: nullable(keySchema),
    renditions: list(rendition, 16),
  },
  { name: 'additions', schema: additionsSchema, absent: NO_ADDITIONS, isAbsent: isPlain },
);

export const groupDescriptorSchema: Schema<GroupDescriptor> = struct<GroupDescriptor>({
  segments: list(
    struct<SegmentDescriptor>({ digest: fixed(32), size: uint(LIMITS.group), duration: uint(MAX_DURATION) }),
    LIMITS.groupSegments,
  ),
});
