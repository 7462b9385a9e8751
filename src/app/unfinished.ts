/** Publications that an earlier page began: they go on by themselves as far as they can, and a person decides about the rest. */
import { asKadreelError, fail, hasCode } from '../base/errors.ts';
import type { Cancel, FileKeeper, SourceFile } from '../base/ports.ts';
import { abortError, type Deferred, deferred, orAbort, quiet } from '../base/timing.ts';
import type { QualityState, Unfinished } from './api.ts';
import type { Editor } from './editor.ts';
import { checkMark } from './fingerprint.ts';
import { isSaved, type Journal, type JournalEntry } from './journal.ts';
import { FIRST_PART, type FileMark } from './journal-rows.ts';
import { lockOf, needsFile, type PublicationParts, videoIdOf } from './publication-parts.ts';

/** Their list, and what a person does with them: see `Kadreel` in `api.ts`. */
export interface UnfinishedPublications {
  listen(listener: (unfinished: readonly Unfinished[]) => void): Cancel;
  goOn(id: string, file?: SourceFile): Promise<void>;
  discard(id: string): Promise<void>;
}

export interface UnfinishedOptions extends PublicationParts {
  readonly journal: Journal;
  readonly files: FileKeeper;
  /** What goes on with changes of published videos. */
  readonly editor: () => Promise<Pick<Editor, 'bring'>>;
  /** Those that this page began are shown elsewhere. */
  readonly isOwn: (id: string) => boolean;
  /** A video's link works, or it has one quality more. */
  readonly onPublished: () => void;
  /** This tab needs its processor for one; call what is returned when that has ended. */
  readonly onBusy: () => Cancel;
  readonly closing: AbortSignal;
}

/** Other tabs begin publications, and are closed: the journal is looked at again so often (ms). */
const LOOK_EVERY = 20_000;
/** Listeners are told at most this often (ms). */
const TELL_EVERY = 250;
/** What is done when the link works, and what making all qualities adds to it; the rest is copies. */
const SHARES = { link: 0.6, qualities: 0.3, copies: 0.1 };

/** One publication that is not ours from the start. */
interface Row {
  readonly id: string;
  entry: JournalEntry | 'unreadable';
  phase: Unfinished['phase'];
  problem: string | null;
  /** Of each quality, 0 to 1, as it is being made. */
  qualities: readonly QualityState[];
  /** Ends what goes on. Null while nothing does. */
  run: { readonly controller: AbortController; readonly ended: Promise<void> } | null;
  /** The file, once this page may read it. */
  file: SourceFile | null;
  /** What waits for the file. */
  waiting: Deferred<SourceFile>;
  /** Null while another tab has the lock. */
  release: Cancel | null;
}

/** Loaded by those who have published something. */
const loadEnd = () => import('./publication-end.ts');

export function createUnfinished(options: UnfinishedOptions): UnfinishedPublications {
  const { clock, journal, files, locks, closing } = options;
  const rows = new Map<string, Row>();
  const listeners = new Set<(unfinished: readonly Unfinished[]) => void>();
  let isTelling = false;
  /** What the journal had when this page began is known. */
  let isRead = false;

  const view = (): readonly Unfinished[] => [...rows.values()].map((row) => viewOf(row));
  const viewOf = ({ id, entry, phase, problem, qualities }: Row): Unfinished => {
    if (entry === 'unreadable') return { id, kind: 'video', title: '', fileName: '', fraction: 0, videoId: null, phase, problem };
    const { title, file, stage } = entry.facts;
    const videoId = stage === 'listed' || (stage === 'changing' && isSaved(entry)) ? videoIdOf(options, entry) : null;
    const kind = stage === 'changing' ? 'change' : 'video';
    return { id, kind, title, fileName: file?.name ?? '', fraction: fractionOf(entry, qualities), videoId, phase, problem };
  };
  const tell = (): void => {
    if (isTelling) return;
    isTelling = true;
    clock.after(TELL_EVERY, () => {
      isTelling = false;
      if (isRead) for (const listener of listeners) listener(view());
    });
  };
  const change = (row: Row, next: Partial<Pick<Row, 'phase' | 'problem'>>): void => {
    Object.assign(row, next);
    tell();
  };
  const forget = (row: Row): void => {
    row.release?.();
    rows.delete(row.id);
    tell();
  };

  /** The file that was kept, checked. Rejects as `FileKeeper.open` does, or with `invalid`. */
  const reopen = async (entry: JournalEntry): Promise<SourceFile> => {
    const file = await files.open(entry.id);
    await checkMark(options.crypto, file, markIn(entry));
    return file;
  };

  /** The file without asking anybody; else the card says what is needed, and this waits for it. */
  const fileFor = async (row: Row, entry: JournalEntry): Promise<SourceFile> => {
    if (row.file) return row.file;
    const state = await files.state(entry.id);
    if (state === 'ready') {
      try {
        row.file = await reopen(entry);
        return row.file;
      } catch (error) {
        change(row, { phase: 'needs-file', problem: asKadreelError(error).message });
      }
    } else if (row.phase === 'working') change(row, { phase: state === 'asks' ? 'asks' : 'needs-file', problem: null });
    return row.waiting.promise;
  };

  const start = (row: Row, entry: JournalEntry): void => {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, closing]);
    let free: Cancel | null = null;
    change(row, { phase: 'working', problem: null });
    const bring = async (): Promise<void> => {
      await (await options.editor()).bring(entry, { signal, onProgress: tell });
      options.onPublished();
      forget(row);
    };
    const work = async (): Promise<void> => {
      try {
        if (entry.facts.stage === 'changing') return await bring();
        const { runPublication } = await import('./publication.ts');
        const running = runPublication({
          ...{ ...options, entry, signal },
          onSharedWork: () => undefined, // Its card says how far it is.
          async file() {
            const file = await orAbort(fileFor(row, entry), signal);
            free ??= options.onBusy();
            return file;
          },
          onProgress: tell,
          onGrowth: () => options.onPublished(),
          onQualities(states) {
            if (states.filter(isMade).length > row.qualities.filter(isMade).length) options.onPublished();
            row.qualities = states;
            tell();
          },
        });
        const { done } = await running;
        options.onPublished();
        await done;
        await (await loadEnd()).conclude(options, entry);
        forget(row);
      } catch (error) {
        if (signal.aborted) return;
        if (hasCode(error, 'withdrawn')) return await drop(row);
        // It may be the file that can't be read any more.
        row.file = null;
        row.waiting = deferred();
        change(row, { phase: 'failed', problem: asKadreelError(error).message });
      } finally {
        free?.();
        row.run = null;
      }
    };
    row.run = { controller, ended: quiet(work()) };
  };

  /** Takes up what the journal has, once this tab alone may. */
  const takeUp = async (row: Row, release: Cancel): Promise<void> => {
    row.release = release;
    const entry = await journal.open(row.id);
    if (entry === null || closing.aborted) return forget(row);
    row.entry = entry;
    if (entry === 'unreadable') return change(row, { phase: 'unreadable', problem: UNREADABLE });
    if (entry.facts.stage !== 'leaving') return start(row, entry);
    await drop(row);
  };

  const drop = async (row: Row): Promise<void> => {
    const { entry } = row;
    if (entry === 'unreadable') {
      await files.remove(row.id);
      await journal.discard(row.id);
    } else await (await loadEnd()).giveUp(options, entry);
    forget(row);
    options.onPublished();
  };

  /** Notices one of the journal. */
  const notice = async (id: string): Promise<void> => {
    const entry = await journal.open(id);
    if (entry === null || rows.has(id) || options.isOwn(id)) return;
    const row: Row = {
      id,
      entry,
      phase: 'elsewhere',
      problem: null,
      qualities: [],
      run: null,
      file: null,
      waiting: deferred(),
      release: null,
    };
    rows.set(id, row);
    // The disk did not do what was asked: it is looked at again soon.
    takeWhenFree(row).catch(() => forget(row));
  };

  /** Goes on with one as soon as it is ours: another tab may have it now. */
  const takeWhenFree = async (row: Row): Promise<void> => {
    const taken = await locks.take(lockOf(row.id));
    if (!taken) tell();
    await takeUp(row, taken ?? (await locks.wait(lockOf(row.id), closing)));
  };

  const look = async (): Promise<void> => {
    const known = await journal.ids();
    const unknown = known.filter((id) => !rows.has(id) && !options.isOwn(id));
    await Promise.all(unknown.map((id) => notice(id).catch(() => undefined))); // Looked at again soon.
    // What another tab has ended, or is further with now.
    for (const row of rows.values()) {
      if (row.phase !== 'elsewhere') continue;
      const entry = known.includes(row.id) ? await journal.open(row.id) : null;
      if (entry === null) rows.delete(row.id);
      else if (row.phase === 'elsewhere') row.entry = entry;
      tell();
    }
  };
  /** Ends what grows and nobody goes on with. */
  const endLeft = async (): Promise<void> => {
    if ((await options.library.all()).length > 0) await (await loadEnd()).endGrowths(options);
  };
  const lookAgain = (ms: number): void => {
    const cancel = clock.after(ms, () => {
      closing.removeEventListener('abort', cancel);
      if (closing.aborted) return;
      const looked = look().then(() => {
        if (isRead) return;
        isRead = true;
        tell();
        endLeft().catch(() => undefined); // After the next start.
      });
      looked.catch(() => undefined); // The disk does not answer: it is asked again.
      lookAgain(LOOK_EVERY);
    });
    closing.addEventListener('abort', cancel, { once: true });
  };
  lookAgain(0);

  const rowOf = (id: string): Row => {
    const row = rows.get(id);
    if (!row) throw fail('not-found', 'This publication has ended, or was given up.');
    if (!row.release) throw fail('refused', 'Another tab of this browser goes on with it. Look there, or close it.');
    return row;
  };

  return {
    listen(listener) {
      listeners.add(listener);
      if (isRead) listener(view());
      return () => listeners.delete(listener);
    },
    async goOn(id, given) {
      const row = rowOf(id);
      const { entry } = row;
      if (entry === 'unreadable') throw fail('unsupported', UNREADABLE);
      try {
        if (given) await checkMark(options.crypto, given, markIn(entry));
        if (row.run || needsFile(entry)) {
          row.file = given ?? (await reopen(entry));
          row.waiting.resolve(row.file);
          if (given) void files.keep(id, given);
        }
        if (row.run) change(row, { phase: 'working', problem: null });
        else start(row, entry);
      } catch (error) {
        const { message } = asKadreelError(error);
        change(row, { problem: message, ...(hasCode(error, 'not-found') && { phase: 'needs-file' }) });
        throw error;
      }
    },
    async discard(id) {
      const row = rowOf(id);
      row.run?.controller.abort(abortError(AbortSignal.abort()));
      await row.run?.ended;
      await drop(row);
    },
  };
}

const UNREADABLE =
  'What was noted of it can’t be read: it is damaged, or another version of Kadreel wrote it. Nothing of it was changed. That version can go on with it; discard it to free its space.';

/** Only what is made from a file is ever asked for it. */
function markIn({ facts }: JournalEntry): FileMark {
  if (!facts.file) throw fail('invalid', 'No file is needed for this: it is a change of a video that is published.');
  return facts.file;
}

function isMade({ phase }: QualityState): boolean {
  return phase === 'made';
}

/** Of the groups of a change. */
function shareBrought({ parts, copies }: JournalEntry): number {
  const groups = parts.flatMap((part) => part.renditions.flatMap((rendition) => rendition.groups));
  return groups.length > 0 ? Math.min(copies.size / groups.length, 1) : 0;
}

/** How far it is as a whole. */
function fractionOf(entry: JournalEntry, qualities: readonly QualityState[]): number {
  const { facts, parts, copies } = entry;
  if (facts.stage === 'changing') return shareBrought(entry);
  const first = parts.find(({ name }) => name === FIRST_PART);
  const whole = (first?.covered ?? 0) / 1e6;
  if (first?.facts.status !== 'joined') return SHARES.link * Math.min(facts.duration > 0 ? whole / facts.duration : 0, 1);
  const rungs = facts.rungs ?? [];
  const made = rungs.map((rung) => {
    const part = parts.find(({ name }) => name === rung);
    if (part && part.facts.status !== 'open') return 1;
    const told = qualities.find(({ name }) => name === rung)?.fraction ?? 0;
    return Math.max(told, whole > 0 ? (part?.covered ?? 0) / 1e6 / whole : 0);
  });
  const groups = parts.flatMap((part) => part.renditions.flatMap((rendition) => rendition.groups));
  const stored = groups.length > 0 ? copies.size / groups.length : 0;
  const making = facts.rungs && made.length === 0 ? 1 : made.reduce((sum, part) => sum + part, 0) / Math.max(made.length, 1);
  return SHARES.link + SHARES.qualities * making + SHARES.copies * Math.min(stored, 1);
}
