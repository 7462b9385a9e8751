/** From a person's file to a link that works, and then to copies on other disks (design §7). */
import { fromUtf8, toUtf8 } from '../base/bytes.ts';
import { asKadreelError, hasCode } from '../base/errors.ts';
import type { Cancel, FileKeeper, SourceFile } from '../base/ports.ts';
import { abortError, quiet } from '../base/timing.ts';
import type { VideoId } from '../media/manifest.ts';
import type { CopiesReport, PublishOptions, PublishStage } from './api.ts';
import { markOf } from './fingerprint.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { Choices, FileMark } from './journal-rows.ts';
import { createProgress } from './progress.ts';
import { lockOf, type PublicationParts } from './publication-parts.ts';
import { videoName } from './video-versions.ts';

export interface Publisher {
  publish(file: SourceFile, options: PublishOptions): Promise<{ videoId: VideoId; done: Promise<CopiesReport> }>;
  /** Whether a publication of the journal is one that was begun here. */
  isOwn(id: string): boolean;
}

export interface PublisherOptions extends PublicationParts {
  readonly journal: Journal;
  readonly files: FileKeeper;
  /** Fires, with a reason, when the node leaves: what is under way then ends, and its journal stays. */
  readonly closing: AbortSignal;
}

/** What is known of a publication at its beginning. */
interface Begun {
  readonly title: string;
  /** Seconds. */
  readonly duration: number;
  readonly choices: Choices;
}

/** Loaded when somebody publishes: most who come only watch. */
const loadPublication = () => import('./publication.ts');
const loadEnd = () => import('./publication-end.ts');

const MAX_TITLE_BYTES = 200;
/** Where each stage ends on the bar: reading headers is nothing, cutting nearly all. A transcode is most of the work where there is one. */
const STAGE_END: Readonly<Record<PublishStage, number>> = { read: 0.02, transcode: 0.85, cut: 0.85, announce: 0.9, copies: 1 };

export function createPublisher(options: PublisherOptions): Publisher {
  const { crypto, clock, transcoder, journal, files, locks, closing } = options;
  const own = new Set<string>();

  /** A new row in the journal, which no other tab may touch. */
  const begin = async (file: SourceFile, mark: FileMark, given: Begun): Promise<{ entry: JournalEntry; release: Cancel }> => {
    const id = journal.newId();
    own.add(id);
    const release = (await locks.take(lockOf(id))) ?? (() => undefined);
    try {
      const { choices, ...rest } = given;
      const facts = { ...rest, file: mark, name: videoName(options.random), created: clock.now() };
      const entry = await journal.begin(id, facts, choices);
      // It takes as long as copying the file, where the browser does that; nothing waits for it.
      void files.keep(id, file);
      return { entry, release };
    } catch (error) {
      release();
      throw error;
    }
  };

  /** What can't be removed now is shown after the next start. */
  const giveUp = async (entry: JournalEntry): Promise<void> => {
    await (await loadEnd()).giveUp(options, entry).catch(() => undefined);
  };

  return {
    isOwn: (id) => own.has(id),
    async publish(
      file,
      {
        title,
        signal: given,
        onProgress,
        onGrowth = () => undefined,
        onQualities = () => undefined,
        onSharedWork = () => undefined,
        ...wanted
      },
    ) {
      const signal = AbortSignal.any(given ? [given, closing] : [closing]);
      const progress = createProgress({ clock, ends: STAGE_END, ...(onProgress && { onProgress }) });
      let begun: Awaited<ReturnType<typeof begin>> | null = null;
      try {
        progress.report('read', 0);
        const [probe, mark, { runPublication }] = await Promise.all([
          transcoder.probe(file, signal),
          markOf(crypto, file),
          loadPublication(),
        ]);
        progress.report('read', 1);
        const { without = [], poster = null, captions = [] } = wanted;
        begun = await begin(file, mark, {
          title: fitTitle(title, file.name),
          duration: probe.duration,
          choices: { without, poster, captions },
        });
        const { entry } = begun;
        const making = probe.plan === 'transcode' ? 'transcode' : 'cut';
        const { videoId, done } = await runPublication({
          ...{ ...options, entry, signal, onGrowth, onQualities, onSharedWork },
          file: () => Promise.resolve(file),
          onProgress: (stage, fraction) => progress.report(stage === 'making' ? making : stage, fraction),
        });
        const finish = async (): Promise<CopiesReport> => {
          try {
            const report = await done;
            await (await loadEnd()).conclude(options, entry).catch(() => undefined); // The next start sees that nothing is left to do.
            return report;
          } catch (error) {
            const isOver = signal.aborted || hasCode(error, 'withdrawn');
            if (isOver && !closing.aborted) await giveUp(entry);
            // It is among the unfinished ones now, to be tried again.
            if (!isOver) own.delete(entry.id);
            throw error;
          } finally {
            begun?.release();
          }
        };
        return { videoId, done: quiet(finish()) };
      } catch (error) {
        if (begun && !closing.aborted) await giveUp(begun.entry);
        begun?.release();
        throw signal.aborted ? abortError(signal) : asKadreelError(error);
      }
    },
  };
}

/** The title, or the file's name without its ending; cut at 200 bytes of UTF-8 between two characters. */
function fitTitle(title: string, fileName: string): string {
  const wanted = title.trim() || fileName.replace(/\.[^.]+$/, '').trim() || 'Untitled';
  const bytes = fromUtf8(wanted);
  for (let length = Math.min(bytes.length, MAX_TITLE_BYTES); length > 0; length--) {
    const text = toUtf8(bytes.subarray(0, length));
    if (text !== null) return text;
  }
  return 'Untitled';
}
