/** What comes with a video besides picture and sound: captions, and tiles for the seek bar (M17, M18). */
import type { SourceFile, Transcoder } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import type { Captions } from '../media/additions.ts';
import type { NewCaptions } from './api.ts';
import type { Library } from './library.ts';
import type { Packing } from './packing.ts';
import type { QualityWork } from './qualities.ts';
import type { VideoVersions } from './video-versions.ts';

/** Cuts and keeps captions of a video that lasts so long (milliseconds). Rejects when the disk does not take them. */
export async function keepCaptions(packing: Packing, captions: readonly NewCaptions[], duration: number): Promise<readonly Captions[]> {
  if (captions.length === 0) return [];
  const { cutCaptions } = await import('../media/web-vtt.ts');
  const kept: Captions[] = [];
  for (const { language, name, cues } of captions) {
    kept.push({ language, name, groups: await packing.keepFiles(cutCaptions(cues, duration)) });
  }
  return kept;
}

export interface PreviewOptions {
  readonly transcoder: Pick<Transcoder, 'sheets'>;
  readonly library: Pick<Library, 'add' | 'announce'>;
  readonly versions: VideoVersions;
  readonly file: SourceFile;
  readonly begin: (onProgress: (fraction: number) => void) => QualityWork;
  /** The groups of tiles that have joined the video. */
  readonly onMade: (groups: readonly Key[]) => void;
  readonly signal: AbortSignal;
}

/**
 * Makes the tiles of a video whose link works, and adds them as a new version of it. Resolves also when there are none, or the disk has no room for
 * them: the seek bar then is without. Rejects with `aborted` alone.
 */
export async function addPreview({ transcoder, library, versions, file, begin, onMade, signal }: PreviewOptions): Promise<void> {
  const work = begin(() => undefined);
  try {
    const made = await transcoder.sheets(file, signal);
    if (made && made.sheets.length > 0) {
      const { sheets, ...grid } = made;
      const sheetTime = grid.interval * grid.columns * grid.rows;
      const groups = await work.packing.keepFiles(sheets.map((bytes) => ({ bytes, duration: sheetTime })));
      if (signal.aborted) throw abortError(signal);
      const video = await versions.next({ additions: { preview: { ...grid, groups } } }, library.add);
      await work.keep();
      // What fails here is renewed within the hour: the disk has it.
      await library.announce(video, signal).catch(() => undefined);
      onMade(groups.map(({ key }) => key));
    } else await work.giveBack();
  } catch {
    await work.giveBack();
    if (signal.aborted) throw abortError(signal);
  }
}
