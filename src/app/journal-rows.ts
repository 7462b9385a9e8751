/**
 * How the journal of a publication is written on disk (docs/protocol.md, W1 to W4): small rows in the table `meta`, and the segments of groups that
 * are not closed yet in the table `segments`. Pure.
 */
import type { Bytes } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import type { CutRendition } from '../base/ports.ts';
import { binary, fixed, float, list, nullable, oneOf, type Schema, string, struct, time, uint } from '../base/schema.ts';
import { type Key, parseKey } from '../kademlia/key.ts';
import { MAX_CAPTIONS } from '../media/additions.ts';
import { DIGEST_BYTES } from '../media/group.ts';
import type { Cue } from '../media/subtitles.ts';
import type { NewCaptions } from './api.ts';

/** What stays the same while a publication is made, and how far it is as a whole. */
export interface PublicationFacts {
  /** Raised when rows change their meaning: another one is left alone. */
  readonly form: number;
  /** What it is made from; null for the change of a video that is published. */
  readonly file: FileMark | null;
  /** Of the video, at most 200 bytes. */
  readonly title: string;
  /** The name of the video's record. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** Seconds, as the file says. */
  readonly duration: number;
  /**
   * `listed`: the link works, and the video is on the list of the newest · `leaving`: it was given up, and is being removed · `changing`: nothing is
   * published, but a published video is changed, or taken off.
   */
  readonly stage: 'cutting' | 'listed' | 'leaving' | 'changing';
  /** Names of the qualities that are to be made, best first; null until that is known. */
  readonly rungs: readonly string[] | null;
}

/** By what a file is known again. */
export interface FileMark {
  /** At most 255 characters. */
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970, 0 when nobody knows. */
  readonly lastModified: number;
  /** SHA-256 of slices of it (`fingerprint.ts`). */
  readonly fingerprint: Bytes;
}

/** What the person wanted of it besides its title. */
export interface Choices {
  /** Names of qualities that are not to be made. */
  readonly without: readonly string[];
  /** The picture that was chosen; null for one that the file gives. */
  readonly poster: Bytes | null;
  readonly captions: readonly NewCaptions[];
}

/** What is made in one go: all that is cut first, or one quality. */
export interface PartFacts {
  /** `whole`: nothing is to be made of it any more · `joined`: it is in the video · `failed`: it can't be made. */
  readonly status: 'open' | 'whole' | 'joined' | 'failed';
  /** Why it failed, for a person. */
  readonly problem: string | null;
  readonly poster: Bytes | null;
}

/** A group that is closed and on the disk. */
export interface GroupFacts {
  readonly encoded: Bytes;
  /** Microseconds of each segment: the descriptor rounds them. */
  readonly durations: readonly number[];
}

/** The form that this version writes. */
export const FORM = 1;
/** The part that is cut first. */
export const FIRST_PART = 'first';
/** Captions: a rendition without parameters for each language. */
export const CAPTIONS_PART = 'captions';
/** Groups that only an earlier version of the video has, and that go when the change has come to others. */
export const DROPPED_PART = 'dropped';
/** The seek bar's tiles: one such rendition. */
export const PREVIEW_PART = 'preview';
const REPAIR = /^(.+)-repair-\d+$/;

const MAX_NAME = 1024; // 255 characters of UTF-8
const MAX_RUNGS = 16;
const MAX_PROBLEM = 4096;
const MAX_CUES = 65_536;
const MAX_CUE = 65_536; // bytes of its text
const MAX_MICROSECONDS = Number.MAX_SAFE_INTEGER;

export const factsSchema: Schema<PublicationFacts> = struct<PublicationFacts>({
  form: uint(0xffff),
  file: nullable(
    struct<FileMark>({
      name: string(MAX_NAME),
      size: uint(Number.MAX_SAFE_INTEGER),
      lastModified: time,
      fingerprint: fixed(DIGEST_BYTES),
    }),
  ),
  title: string(200),
  name: string(64),
  created: time,
  duration: float,
  stage: oneOf(['cutting', 'listed', 'leaving', 'changing']),
  rungs: nullable(list(string(32), MAX_RUNGS)),
});

const cueSchema = struct<Cue>({ start: float, end: float, settings: string(1024), text: string(MAX_CUE) });
export const choicesSchema: Schema<Choices> = struct<Choices>({
  without: list(string(32), MAX_RUNGS),
  poster: nullable(binary(LIMITS.value)),
  captions: list(struct<NewCaptions>({ language: string(64), name: string(256), cues: list(cueSchema, MAX_CUES) }), MAX_CAPTIONS),
});

export const partSchema: Schema<PartFacts> = struct<PartFacts>({
  status: oneOf(['open', 'whole', 'joined', 'failed']),
  problem: nullable(string(MAX_PROBLEM)),
  poster: nullable(binary(LIMITS.value)),
});

export const renditionSchema: Schema<CutRendition> = struct<CutRendition>({
  index: uint(255),
  kind: oneOf(['video', 'audio']),
  codecs: string(256),
  init: binary(LIMITS.message),
  width: uint(0xffff),
  height: uint(0xffff),
  frameRate: float,
});

export const groupSchema: Schema<GroupFacts> = struct<GroupFacts>({
  encoded: binary(LIMITS.value),
  durations: list(uint(MAX_MICROSECONDS), LIMITS.groupSegments),
});

/** Other disks that took a copy of a group. */
export const copiesSchema: Schema<number> = uint(0xffff);

/** The part in which a quality is made anew that came out wrong: the two must not mix. `number` counts from 1. */
export function repairPart(name: string, number: number): string {
  return `${name}-repair-${number}`;
}

/** Which quality a part repairs; null when it is no repair. */
export function repairedBy(part: string): string | null {
  return REPAIR.exec(part)?.[1] ?? null;
}

/** The keys of the rows. Numbers have leading zeros, so that keys order as they do. */
export const rowKey = {
  all: () => 'journal/',
  facts: (id: string) => `journal/${id}`,
  choices: (id: string) => `journal/${id}/choices`,
  /** All rows but the facts. */
  rows: (id: string) => `journal/${id}/`,
  part: (id: string, part: string) => `journal/${id}/part/${part}`,
  rendition: (id: string, part: string, rendition: number) => `journal/${id}/rendition/${part}/${padded(rendition, 3)}`,
  /** The group's key stands in it, so that whoever can't read the value can still remove the group. */
  group: (id: string, group: { part: string; rendition: number; number: number; key: Key }) =>
    `journal/${id}/group/${group.part}/${padded(group.rendition, 3)}/${padded(group.number, 6)}/${group.key}`,
  groups: (id: string) => `journal/${id}/group/`,
  copies: (id: string, group: Key) => `journal/${id}/copies/${group}`,
};

/** Segments of open groups, in the table `segments`. The duration (microseconds) stands in the key: the value is the segment alone. */
export const openKey = {
  segment: (id: string, segment: { part: string; rendition: number; index: number; duration: number }) =>
    `${openKey.rendition(id, segment.part, segment.rendition)}${padded(segment.index, 7)}/${segment.duration}`,
  rendition: (id: string, part: string, rendition: number) => `open/${id}/${part}/${padded(rendition, 3)}/`,
  all: (id: string) => `open/${id}/`,
};

/** What a row's key says. */
export type RowName =
  | { readonly type: 'facts' | 'choices'; readonly id: string }
  | { readonly type: 'part'; readonly id: string; readonly part: string }
  | { readonly type: 'rendition'; readonly id: string; readonly part: string; readonly rendition: number }
  | {
      readonly type: 'group';
      readonly id: string;
      readonly part: string;
      readonly rendition: number;
      readonly number: number;
      readonly key: Key;
    }
  | { readonly type: 'copies'; readonly id: string; readonly key: Key };

/** What a key of the table `meta` names; null for one of another form. */
export function parseRowKey(text: string): RowName | null {
  const [table, id = '', kind, ...rest] = text.split('/');
  if (table !== 'journal' || !/^[0-9a-f]{16}$/.test(id)) return null;
  if (kind === undefined) return { type: 'facts', id };
  if (kind === 'choices') return { type: 'choices', id };
  const [part = '', rendition = '', number = '', group = ''] = rest;
  if (kind === 'part' && part !== '') return { type: 'part', id, part };
  if (kind === 'rendition') return { type: 'rendition', id, part, rendition: Number(rendition) };
  if (kind === 'copies') {
    const key = parseKey(part);
    return key && { type: 'copies', id, key };
  }
  const key = kind === 'group' ? parseKey(group) : null;
  return key && { type: 'group', id, part, rendition: Number(rendition), number: Number(number), key };
}

/** Number and microseconds of a segment, from what follows `openKey.rendition`; null for anything else. */
export function parseOpenKey(rest: string): { readonly index: number; readonly duration: number } | null {
  const match = /^(\d{7})\/(\d{1,16})$/.exec(rest);
  return match && { index: Number(match[1]), duration: Number(match[2]) };
}

function padded(number: number, digits: number): string {
  return String(number).padStart(digits, '0');
}
