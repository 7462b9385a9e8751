/** What publications share, and what can be said of one from its journal. What is done with one is loaded when there is one. */
import type { Clock, Crypto, Locks, Random, Signer, Transcoder } from '../base/ports.ts';
import type { VideoId } from '../media/manifest.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { recordKey } from '../records/record.ts';
import type { Device } from '../records/vector-clock.ts';
import { previewEnded } from './additions.ts';
import type { BadHelpers } from './bad-helpers.ts';
import type { JournalEntry } from './journal.ts';
import { FIRST_PART } from './journal-rows.ts';
import type { Library } from './library.ts';

/** What all publications of a tab share. */
export interface PublicationParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly account: Signer;
  readonly device: Device;
  readonly transcoder: Transcoder;
  readonly node: DhtNode;
  readonly library: Library;
  readonly locks: Locks;
  /** Helpers that are not asked. */
  readonly bad: Promise<BadHelpers>;
  /** A video has a later version on this disk. */
  readonly onVersion: (videoId: VideoId) => void;
  /** The share of helpers' work that is made twice, as it is set now. */
  readonly checkShare: () => number;
}

/** The name of the lock of a publication: whoever holds it writes to its journal. */
export function lockOf(id: string): string {
  return `publication/${id}`;
}

/** The address of the video that an entry becomes. */
export function videoIdOf({ crypto, account }: Pick<PublicationParts, 'crypto' | 'account'>, entry: JournalEntry): VideoId {
  return recordKey(crypto, account.publicKey, entry.facts.name);
}

/** Whether a file is needed to go on: something is to be made of it yet. */
export function needsFile({ facts, parts }: JournalEntry): boolean {
  if (facts.stage === 'changing') return false;
  if (!previewEnded({ parts })) return true;
  if (parts.every(({ name, facts }) => name !== FIRST_PART || facts.status === 'open')) return true;
  if (facts.rungs === null) return true;
  return facts.rungs.some((rung) => parts.every(({ name, facts }) => name !== rung || facts.status === 'open'));
}
