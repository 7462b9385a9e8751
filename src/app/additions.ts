/** What comes with a video besides picture and sound: captions, and tiles for the seek bar (M17, M18). */
import type { Bytes } from '../base/bytes.ts';
import type { Crypto, CutRendition, SourceFile, Transcoder } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import type { Captions } from '../media/additions.ts';
import { createGroupPacker, type PackedGroup } from '../media/group.ts';
import type { GroupReference } from '../media/group-reference.ts';
import type { JournalEntry } from './journal.ts';
import type { JournalPart } from './journal-part.ts';
import { CAPTIONS_PART, PREVIEW_PART } from './journal-rows.ts';
import type { Library } from './library.ts';
import type { VideoVersions } from './video-versions.ts';

interface Keeping {
  readonly crypto: Crypto;
  readonly entry: JournalEntry;
}

/**
 * Cuts and keeps the captions that were chosen for a video that lasts so long (milliseconds), anew after a tab was closed in the middle. Rejects when the
 * disk does not take them.
 */
export async function keepCaptions({ crypto, entry }: Keeping, duration: number): Promise<readonly Captions[]> {
  const { captions } = entry.choices;
  if (captions.length === 0) return [];
  const part = entry.part(CAPTIONS_PART);
  await entry.clear(part);
  const { cutCaptions } = await import('../media/web-vtt.ts');
  const kept: Captions[] = [];
  for (const [index, { language, name, cues }] of captions.entries()) {
    kept.push({ language, name, groups: await keepFiles(crypto, { part, index }, cutCaptions(cues, duration)) });
  }
  return kept;
}

export interface PreviewOptions extends Keeping {
  readonly transcoder: Pick<Transcoder, 'sheets'>;
  readonly library: Pick<Library, 'add' | 'announce'>;
  readonly versions: VideoVersions;
  readonly file: SourceFile;
  /** The groups of tiles that have joined the video. */
  readonly onMade: (groups: readonly Key[]) => void;
  readonly signal: AbortSignal;
}

/** Whether tiles are in the video, or can't be made. */
export function previewEnded({ parts }: Pick<JournalEntry, 'parts'>): boolean {
  return parts.some(({ name, facts }) => name === PREVIEW_PART && facts.status !== 'open');
}

/**
 * Makes the tiles of a video whose link works, and adds them as a new version of it. Resolves also when there are none, or the disk has no room for
 * them: the seek bar then is without. Rejects with `aborted` alone.
 */
export async function addPreview(options: PreviewOptions): Promise<void> {
  const { crypto, entry, transcoder, library, versions, file, onMade, signal } = options;
  const part = entry.part(PREVIEW_PART);
  try {
    await entry.clear(part);
    const made = await transcoder.sheets(file, signal);
    if (signal.aborted) throw abortError(signal);
    if (!made || made.sheets.length === 0) return await part.change({ status: 'failed' });
    const { sheets, ...grid } = made;
    const sheetTime = grid.interval * grid.columns * grid.rows;
    const groups = await keepFiles(
      crypto,
      { part, index: 0 },
      sheets.map((bytes) => ({ bytes, duration: sheetTime })),
    );
    if (signal.aborted) throw abortError(signal);
    const video = await versions.next({ preview: { ...grid, groups } }, async (next) => {
      const { row, done } = part.changing({ status: 'joined' });
      await library.add(next, [row]);
      done();
    });
    // What fails here is renewed within the hour: the disk has it.
    await library.announce(video, signal).catch(() => undefined);
    onMade(groups.map(({ key }) => key));
  } catch {
    if (signal.aborted) throw abortError(signal);
    // A disk that does not take this either has it tried again after the next start.
    await giveBack(entry, part).catch(() => undefined);
  }
}

async function giveBack(entry: JournalEntry, part: JournalPart): Promise<void> {
  if (part.facts.status === 'joined') return;
  await entry.clear(part);
  await part.change({ status: 'failed' });
}

/** What is neither picture nor sound has no parameters. */
const PLAIN: Omit<CutRendition, 'index'> = { kind: 'video', codecs: '', init: new Uint8Array(0), width: 0, height: 0, frameRate: 0 };

/**
 * Keeps what does not play by itself, as groups of their own (M17), and notes them under rendition `index` of the part. `duration`: milliseconds of the
 * video that each is for.
 */
async function keepFiles(
  crypto: Crypto,
  { part, index }: { readonly part: JournalPart; readonly index: number },
  files: readonly { readonly bytes: Bytes; readonly duration: number }[],
): Promise<readonly GroupReference[]> {
  await part.begin({ index, ...PLAIN });
  const groups: PackedGroup[] = [];
  const close = async (group: PackedGroup | null): Promise<void> => {
    if (!group) return;
    await part.close(index, group);
    groups.push(group);
  };
  // They last no time: so they share a group as long as they fit.
  const packer = createGroupPacker(crypto);
  for (const [n, { bytes, duration }] of files.entries()) {
    await close(packer.add({ digest: await crypto.digest(bytes), size: bytes.length, duration: 0 }));
    await part.segment({ rendition: index, index: n, duration: Math.round(1000 * duration), bytes });
  }
  await close(packer.finish());
  return groups.map(({ key, firstSegment, descriptor }) => {
    const own = files.slice(firstSegment, firstSegment + descriptor.segments.length);
    return { key, durations: own.map(({ duration }) => duration) };
  });
}
