/** The linked nodes that do jobs for others: who they are, and what they answer (docs/protocol.md, rules J). */
import { equal } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Cancel, Crypto } from '../base/ports.ts';
import { encode } from '../base/schema.ts';
import type { NodeId } from '../kademlia/key.ts';
import { type MadeSegment, mostBytes, PINNED, type TranscodeJob, transcodeJobSchema } from '../media/transcode-job.ts';
import type { Handlers } from './handlers.ts';
import type { Link } from './link.ts';

export interface Helpers {
  readonly handlers: Pick<Handlers, 'HELP'>;
  /** Those that are linked now and whose converter gives the bytes that ours gives. */
  list(): readonly Helper[];
  /** Called after each change of the list. */
  onChange(listener: () => void): Cancel;
  /**
   * Has a job done. `deadline`: milliseconds until the answer begins. Rejects with what the helper says no with (`refused`, `invalid`, `internal`),
   * `timeout`, `aborted`, `closed`, or `corrupt` when more comes than the job can give, or other bytes than the helper says. Whether they are right is not
   * checked here.
   */
  ask(helper: NodeId, job: TranscodeJob, options: AskOptions): Promise<MadeSegment>;
  /** Whether this node does not send a helper this source, though it may have it. */
  withholds(helper: NodeId, source: Pick<TranscodeJob, 'group' | 'segment'>): boolean;
  /** A link has ended. */
  unlinked(link: Link): void;
}

/** How a helper is asked. */
export interface AskOptions {
  readonly deadline: number;
  readonly signal: AbortSignal;
  /** It shall get the source elsewhere: the line from here is the slow one. */
  readonly withhold?: boolean;
}

/** A node that offers to work. */
export interface Helper {
  readonly id: NodeId;
  /** Jobs that it does at once. */
  readonly slots: number;
}

export interface HelpersOptions {
  readonly crypto: Pick<Crypto, 'digest'>;
  /** The link to a node, while there is one. */
  readonly linked: (id: NodeId) => Link | null;
}

export function createHelpers({ crypto, linked }: HelpersOptions): Helpers {
  /** By node: how many jobs, over which link. */
  const known = new Map<NodeId, { readonly slots: number; readonly link: Link }>();
  const listeners = new Set<() => void>();
  /** Sources that are under way to helpers from elsewhere. */
  const withheld = new Set<string>();
  const changed = (): void => {
    for (const listener of [...listeners]) listener();
  };

  return {
    handlers: {
      HELP({ slots, pinned }, { from, link, relayed }) {
        if (relayed) throw fail('refused', 'Helpers need a link.');
        if (slots > 0 && pinned === PINNED) known.set(from.id, { slots, link });
        else if (!known.delete(from.id)) return {};
        changed();
        return {};
      },
    },
    list: () => [...known].map(([id, { slots }]) => ({ id, slots })),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async ask(helper, job, { deadline, signal, withhold = false }) {
      const link = linked(helper);
      if (!link) throw fail('closed', 'The link to this helper has ended.');
      const name = nameOf(helper, job);
      if (withhold) withheld.add(name);
      try {
        const request = { job: encode(transcodeJobSchema, job), most: mostBytes(job), deadline };
        const { init, bytes, digest } = await link.transcode(request, { signal });
        if (!equal(await crypto.digest(bytes), digest)) throw fail('corrupt', 'What came is not what the helper says it made.');
        return { init, bytes };
      } finally {
        withheld.delete(name);
      }
    },
    withholds: (helper, source) => withheld.has(nameOf(helper, source)),
    unlinked(link) {
      if (known.get(link.id)?.link !== link) return;
      known.delete(link.id);
      changed();
    },
  };
}

function nameOf(helper: NodeId, { group, segment }: Pick<TranscodeJob, 'group' | 'segment'>): string {
  return `${helper}/${group}/${segment}`;
}
