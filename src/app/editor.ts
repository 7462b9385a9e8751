/** Changes of videos that this browser published: their next versions, and taking them off. Loaded when somebody wants one. */
import type { Bytes } from '../base/bytes.ts';
import { equal, fromUtf8 } from '../base/bytes.ts';
import { asKadreelError, fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Cancel, Clock, Crypto, Locks, Signer, StillPicture, StoreChange, Transcoder } from '../base/ports.ts';
import { encode } from '../base/schema.ts';
import { abortError, orAbort, quiet } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import { isLanguage } from '../media/additions.ts';
import type { VideoId } from '../media/manifest.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { openRecord, type SignedRecord, writeRecord } from '../records/record.ts';
import type { Device } from '../records/vector-clock.ts';
import { keepCaptions } from './additions.ts';
import type { CopiesReport, Edit, OwnVideo, Removal, VideoEdit } from './api.ts';
import { untilLinksChange } from './joining.ts';
import { isSaved, type Journal, type JournalEntry } from './journal.ts';
import { CAPTIONS_PART, DROPPED_PART, groupSchema, rowKey } from './journal-rows.ts';
import { type Library, type PublishedVideo, videoRecordSchema } from './library.ts';
import { groupsOfVideo, readOwnManifest } from './own-manifest.ts';
import { describeOwn } from './own-video.ts';
import { lockOf, videoIdOf } from './publication-parts.ts';
import { spreadAll } from './spread.ts';
import { samplesOf } from './video-sample.ts';
import { createVideoVersions, lockVideo } from './video-versions.ts';
import { takenOff, whilePublished } from './withdrawal.ts';

export interface Editor {
  own(videoId: VideoId): Promise<OwnVideo>;
  pictures(videoId: VideoId, signal: AbortSignal): Promise<readonly StillPicture[]>;
  edit(videoId: VideoId, edit: VideoEdit): Promise<Edit>;
  remove(videoId: VideoId): Promise<Removal>;
  /**
   * Brings to others what an earlier page changed, and forgets it: a change that a closed tab did not get onto the disk never was. Rejects as
   * `spreadAll`.
   */
  bring(
    entry: JournalEntry,
    options: { readonly signal: AbortSignal; readonly onProgress: (fraction: number) => void },
  ): Promise<CopiesReport>;
}

export interface EditorOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly account: Signer;
  readonly device: Device;
  readonly locks: Locks;
  readonly transcoder: Pick<Transcoder, 'pictures'>;
  readonly node: DhtNode;
  readonly library: Library;
  readonly journal: Journal;
  /** A change of the journal is one that this page began. */
  readonly onBegun: (id: string) => void;
  /** A video has a later version on this disk, or none any more. */
  readonly onChanged: (videoId: VideoId) => void;
  readonly closing: AbortSignal;
}

const MAX_TITLE_BYTES = 200;
/** While nobody hears of it, it is told again this often (ms), and when a link opens. */
const RETRY = 10_000;
/** How much of the progress is telling nodes; the rest is copies. */
const TOLD = 0.3;

export function createEditor(options: EditorOptions): Editor {
  const { clock, crypto, account, device, locks, node, library, journal, closing } = options;

  const published = async (videoId: VideoId): Promise<PublishedVideo> => {
    const video = await library.get(videoId);
    if (video) return video;
    if (await library.withdrawn(videoId)) throw takenOff();
    throw fail(
      'not-found',
      'This browser did not publish the video, or its data was cleared: it can be changed only where it was published.',
    );
  };
  const recordOf = (video: PublishedVideo): SignedRecord => {
    const record = openRecord(video.record);
    if (!record) throw fail('corrupt', 'The record of the video on this disk can’t be read.');
    return record;
  };

  /** A new row in the journal, which no other tab may touch. */
  const begin = async (video: PublishedVideo, edit: VideoEdit): Promise<{ entry: JournalEntry; release: Cancel }> => {
    const id = journal.newId();
    options.onBegun(id);
    const release = (await locks.take(lockOf(id))) ?? (() => undefined);
    const { title, created, duration } = video;
    const { name } = recordOf(video).body;
    try {
      const facts = { file: null, title: edit.title ?? title, name, created, duration: duration / 1000 };
      const entry = await journal.begin(id, facts, { without: [], poster: null, captions: edit.captions ?? [] });
      return { entry, release };
    } catch (error) {
      release();
      throw error;
    }
  };

  /** Until somebody else has it. Gives how many others do. */
  const tell = async (announce: () => Promise<number>, signal: AbortSignal): Promise<number> => {
    for (;;) {
      const known = node.links().length > 0 ? await announce().catch(() => 0) : 0;
      if (signal.aborted) throw abortError(signal);
      if (known > 1) return known - 1; // This node may be one of them.
      await untilLinksChange(node, { clock, ms: RETRY, signal });
    }
  };
  /** The newest ones alone are on the list: what is older must not take their places. */
  const isListed = async (videoId: VideoId): Promise<boolean> =>
    (await library.all()).slice(0, LIMITS.entriesPerWriter).some((one) => one.videoId === videoId);

  /** Record, values and groups of a change that is on the disk. */
  const spread = async (
    { entry, video }: { entry: JournalEntry; video: PublishedVideo },
    { signal, onProgress }: Parameters<Editor['bring']>[1],
  ): Promise<CopiesReport> => {
    const { videoId } = video;
    const { groups: named } = await readOwnManifest(crypto, video);
    const written = entry.part(CAPTIONS_PART).renditions.flatMap(({ groups }) => groups.map(({ group }) => group.key));
    const groups = written.filter((key) => named.includes(key));
    let [told, copied] = [0, groups.length > 0 ? 0 : 1];
    const announce = async (): Promise<number> => {
      const newest = (await library.get(videoId)) ?? video;
      if (await isListed(videoId)) await library.list(newest, signal);
      return library.announce(newest, signal);
    };
    const telling = tell(announce, signal).then((others) => {
      told = 1;
      onProgress(TOLD + (1 - TOLD) * copied);
      return others;
    });
    const spreading =
      groups.length > 0 &&
      spreadAll({
        ...{ clock, node, groups, signal, stored: entry.copies },
        onStored: (group, copies) => entry.noteCopies(group, copies).catch(() => undefined), // Offered again after the next start.
        onProgress(fraction) {
          copied = fraction;
          onProgress(TOLD * told + (1 - TOLD) * copied);
        },
      });
    const [others, report] = await Promise.all([telling, spreading]);
    return report || { stored: others, wanted: others };
  };

  const bring: Editor['bring'] = async (entry, { signal: given, onProgress }) => {
    const videoId = videoIdOf(options, entry);
    const isKept = isSaved(entry);
    const { signal, done } = whilePublished(library, videoId, given);
    try {
      const video = isKept ? await library.get(videoId) : null;
      const report = video && (await spread({ entry, video }, { signal, onProgress }));
      // What the change wrote and the video has stays; what it did not come to, and what it dropped, goes.
      await journal.discard(entry.id);
      return report ?? { stored: 0, wanted: 0 };
    } catch (error) {
      if (signal.aborted && !given.aborted) await journal.discard(entry.id);
      throw error;
    } finally {
      done();
    }
  };

  const undo = async ({ entry, release }: { entry: JournalEntry; release: Cancel }, error: unknown): Promise<never> => {
    if (!closing.aborted) await journal.discard(entry.id).catch(() => undefined); // After the next start.
    release();
    throw closing.aborted ? abortError(closing) : asKadreelError(error);
  };

  return {
    async own(videoId) {
      const video = await published(videoId);
      return describeOwn(crypto, video, await readOwnManifest(crypto, video));
    },
    async pictures(videoId, signal) {
      const video = await published(videoId);
      const pictures: StillPicture[] = [];
      for (const file of await samplesOf(node.groups, await readOwnManifest(crypto, video))) {
        const [first] = await options.transcoder.pictures(file, signal);
        if (first && !pictures.some(({ bytes }) => equal(bytes, first.bytes))) pictures.push(first);
      }
      return pictures;
    },
    bring,
    async edit(videoId, edit) {
      checkEdit(edit);
      const begun = await begin(await published(videoId), edit);
      const { entry, release } = begun;
      try {
        const captions = await keepCaptions({ crypto, entry }, Math.round(1000 * entry.facts.duration));
        const versions = createVideoVersions({ ...options, name: entry.facts.name, first: null, signal: closing });
        const { onProgress = () => undefined, captions: _, ...change } = edit;
        await versions.next({ ...change, captions }, async (video, dropped) => {
          const { row, done } = entry.part(CAPTIONS_PART).changing({ status: 'joined' });
          await library.add(video, [row, ...rowsOf(entry.id, dropped)]);
          done();
        });
        options.onChanged(videoId);
        const done = bring(entry, { signal: closing, onProgress }).finally(release);
        return { videoId, done: quiet(orAbort(done, closing)) };
      } catch (error) {
        return await undo(begun, error);
      }
    },
    async remove(videoId) {
      const begun = await begin(await published(videoId), {});
      const { entry, release } = begun;
      try {
        const unlock = await lockVideo(locks, videoId, closing);
        const record = await (async () => {
          const video = await published(videoId);
          const groups = await groupsOfVideo(crypto, video).catch(() => []); // A description that is damaged must not keep it on.
          const previous = recordOf(video);
          const value = encode(videoRecordSchema, { manifest: null });
          const { signed } = await writeRecord({
            ...{ signer: account, device, value, previous },
            name: previous.body.name,
            now: clock.now(),
          });
          const { row } = entry.part(CAPTIONS_PART).changing({ status: 'joined' });
          await library.withdraw({ videoId, record: signed }, [row, ...rowsOf(entry.id, groups)]);
          return signed;
        })().finally(unlock);
        options.onChanged(videoId);
        // The groups go; after the next start if this tab is closed now.
        await journal.discard(entry.id).catch(() => undefined);
        release();
        const done = tell(() => library.announceWithdrawn({ videoId, record }, closing), closing);
        return { videoId, done: quiet(done.then(() => undefined)) };
      } catch (error) {
        return await undo(begun, error);
      }
    },
  };
}

/** Groups that go when a change has ended: rows of the journal by which they are known, and kept until then. */
function rowsOf(id: string, groups: readonly Key[]): readonly StoreChange[] {
  const value: Bytes = encode(groupSchema, { encoded: new Uint8Array(0), durations: [] });
  return groups.map((key, number) => ({
    table: 'meta',
    key: rowKey.group(id, { part: DROPPED_PART, rendition: 0, number, key }),
    value,
  }));
}

/** Throws `invalid` or `too-large`, and a message for a person. */
function checkEdit({ title, poster, captions = [] }: VideoEdit): void {
  if (title !== undefined && title.trim() === '') throw fail('invalid', 'A video needs a title.');
  if (title !== undefined && fromUtf8(title).length > MAX_TITLE_BYTES)
    throw fail('invalid', `The title is too long: ${MAX_TITLE_BYTES} letters at most, fewer with accents or signs.`);
  if (poster && poster.length > LIMITS.value) throw fail('too-large', `A picture has at most ${LIMITS.value} bytes, not ${poster.length}.`);
  const languages = captions.map(({ language }) => language);
  const wrong = languages.find((language) => !isLanguage(language));
  if (wrong !== undefined) throw fail('invalid', `“${wrong}” is no language: it is written like “en” or “pt-BR”.`);
  if (new Set(languages).size < languages.length) throw fail('invalid', 'Two of the captions are in one language: remove one of them.');
  if (captions.some(({ cues }) => cues.length === 0)) throw fail('invalid', 'Captions without any text are none: remove them instead.');
}
