/** How a publication ends: whole, or given up. */
import type { Bytes } from '../base/bytes.ts';
import type { FileKeeper } from '../base/ports.ts';
import { quiet } from '../base/timing.ts';
import { openRecord, recordKey } from '../records/record.ts';
import type { Journal, JournalEntry } from './journal.ts';
import { FIRST_PART } from './journal-rows.ts';
import { readOwnManifest } from './own-manifest.ts';
import { type PublicationParts, videoIdOf } from './publication-parts.ts';
import { createVideoVersions, lockVideo } from './video-versions.ts';

/** What giving one up needs. */
export interface GivingUp extends Pick<PublicationParts, 'clock' | 'crypto' | 'account' | 'device' | 'locks' | 'library'> {
  readonly journal: Pick<Journal, 'discard' | 'ids' | 'open'>;
  readonly files: FileKeeper;
}

/** The end of a publication that is whole: its notes go, and all that it wrote when the video was taken off meanwhile. */
export async function conclude(parts: GivingUp, entry: JournalEntry): Promise<void> {
  if (await parts.library.withdrawn(videoIdOf(parts, entry))) return giveUp(parts, entry);
  await parts.files.remove(entry.id);
  await entry.end();
}

/** Removes what a publication wrote; a video whose link works stays as it is. What can't be removed now is shown after the next start. */
export async function giveUp(parts: GivingUp, entry: JournalEntry): Promise<void> {
  // Should the tab be closed in the middle, the next one goes on with it.
  if (entry.facts.stage === 'cutting') await entry.change({ stage: 'leaving' }).catch(() => undefined);
  const videoId = videoIdOf(parts, entry);
  if (entry.facts.stage !== 'listed') {
    const release = await lockVideo(parts.locks, videoId, NEVER);
    try {
      // A video that was never kept needs no write, which a disk in trouble may refuse.
      if (await parts.library.get(videoId)) await parts.library.remove(videoId);
    } finally {
      release();
    }
  }
  const poster = entry.parts.find(({ name }) => name === FIRST_PART)?.facts.poster ?? null;
  // Room first: a full disk takes no other version.
  await parts.files.remove(entry.id);
  await parts.journal.discard(entry.id);
  if (entry.facts.stage === 'listed') await endGrowth(parts, { name: entry.facts.name, poster });
}

/** What is over soon. */
const NEVER = new AbortController().signal;

/** A video of which there is the beginning ends there when the rest will not be made: nobody shall wait for it. */
async function endGrowth(
  parts: Omit<GivingUp, 'journal' | 'files'>,
  { name, poster }: { name: string; poster: Bytes | null },
): Promise<void> {
  const known = await parts.library.get(recordKey(parts.crypto, parts.account.publicKey, name));
  if (!known || !(await readOwnManifest(parts.crypto, known)).additions.growing) return;
  const versions = createVideoVersions({ ...parts, name, first: null, signal: NEVER });
  const video = await versions.next({ growing: null, otherwisePoster: poster }, (next) => parts.library.add(next));
  quiet(parts.library.announce(video).then(() => parts.library.list(video))); // What fails is renewed within the hour.
}

/** Ends those that grow and that nobody goes on with: a tab was closed while it gave one up. */
export async function endGrowths(parts: Omit<GivingUp, 'files'>): Promise<void> {
  const going = new Set<string>();
  const videos = await parts.library.all();
  for (const id of await parts.journal.ids()) {
    const entry = await parts.journal.open(id);
    if (entry === 'unreadable') return; // It may be of any of them.
    if (entry) going.add(videoIdOf(parts, entry));
  }
  for (const { videoId, record } of videos) {
    const name = openRecord(record)?.body.name;
    if (name !== undefined && !going.has(videoId)) await endGrowth(parts, { name, poster: null });
  }
}
