/** What a video says of itself, and what becomes of that by a change. Pure. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { type Additions, type Captions, type Growing, MAX_CAPTIONS } from '../media/additions.ts';
import type { Rendition } from '../media/manifest.ts';
import { describeFirst, describeRendition, type FinishedRendition } from '../media/manifest-build.ts';

/** All that a version of a video says, its lists inline. */
export interface VideoDraft {
  /** At most 200 bytes. */
  readonly title: string;
  /** JPEG or WebP. */
  readonly poster: Bytes | null;
  readonly renditions: readonly Rendition[];
  readonly additions: Additions;
}

/** What a version has that the one before it has not. What is left out stays as it is. */
export interface VideoChange {
  readonly title?: string;
  readonly poster?: Bytes;
  /** Taken when it has no picture. */
  readonly otherwisePoster?: Bytes | null;
  /** What a video begins with, as far as it is made: it takes the places of what there was of it. */
  readonly first?: readonly FinishedRendition[];
  /** Null when the first quality is whole. */
  readonly growing?: Growing | null;
  /** More qualities. */
  readonly added?: readonly FinishedRendition[];
  /** One that was added, and what takes its place. */
  readonly replaced?: { readonly before: FinishedRendition; readonly after: FinishedRendition };
  readonly preview?: Additions['preview'];
  /** Each takes the place of those in its language. */
  readonly captions?: readonly Captions[];
  /** Languages (BCP 47) whose captions go. */
  readonly withoutCaptions?: readonly string[];
  /** Numbers of renditions that are offered no longer; each keeps its place. */
  readonly withdrawn?: readonly number[];
  /** Numbers of those that are offered again. */
  readonly offered?: readonly number[];
}

/** The next version: every rendition keeps its place (M16). Throws `invalid` when nothing would be left to play, or with too many captions. */
export function changeVideo(draft: VideoDraft, change: VideoChange): VideoDraft {
  const replaced = change.replaced && {
    before: describeRendition(change.replaced.before),
    after: describeRendition(change.replaced.after),
  };
  const first = describeFirst(change.first ?? []);
  const renditions = [
    ...[...first, ...draft.renditions.slice(first.length)].map((one) => (replaced && isSame(one, replaced.before) ? replaced.after : one)),
    ...(change.added ?? []).map(describeRendition),
  ];
  const { additions } = draft;
  return {
    title: change.title ?? draft.title,
    poster: change.poster ?? draft.poster ?? change.otherwisePoster ?? null,
    renditions,
    additions: {
      preview: change.preview === undefined ? additions.preview : change.preview,
      captions: changeCaptions(additions.captions, change),
      withdrawn: changeWithdrawn(additions.withdrawn, change, renditions),
      growing: change.growing === undefined ? additions.growing : change.growing,
    },
  };
}

/** By name; those of a first version as they were given. */
function changeCaptions(before: readonly Captions[], { captions = [], withoutCaptions = [] }: VideoChange): readonly Captions[] {
  const gone = new Set([...withoutCaptions, ...captions.map(({ language }) => language)]);
  if (gone.size === 0) return before;
  if (before.length === 0) return captions;
  const after = [...before.filter(({ language }) => !gone.has(language)), ...captions];
  if (after.length > MAX_CAPTIONS) throw fail('invalid', `A video has captions in ${MAX_CAPTIONS} languages at most. Remove one first.`);
  return after.sort((a, b) => a.name.localeCompare(b.name));
}

function changeWithdrawn(
  before: readonly number[],
  { withdrawn = [], offered = [] }: VideoChange,
  renditions: readonly Rendition[],
): readonly number[] {
  if (withdrawn.length === 0 && offered.length === 0) return before;
  const after = new Set([...before.filter((index) => !offered.includes(index)), ...withdrawn]);
  for (const kind of ['video', 'audio'] as const) {
    const all = [...renditions.keys()].filter((index) => renditions[index]?.kind === kind);
    if (all.length > 0 && all.every((index) => after.has(index)))
      throw fail('invalid', 'One quality at least must be offered: without any, nobody could watch the video.');
  }
  if ([...withdrawn, ...offered].some((index) => !(index in renditions))) throw fail('invalid', 'The video has no such quality.');
  return [...after].sort((a, b) => a - b);
}

/** The same pictures: groups are known by their hashes. */
function isSame(one: Rendition, other: Rendition): boolean {
  const keysOf = ({ groups }: Rendition): string => (groups.type === 'inline' ? groups.groups.map(({ key }) => key).join() : '');
  return keysOf(one) === keysOf(other);
}
