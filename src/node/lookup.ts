/**
 * The iterative lookup (Kademlia paper §2.3): ask the nearest known nodes for nearer ones until the k nearest have answered. Links
 * are used where there are, and what is not linked is asked through the node that named it: no connection is opened on the way.
 */
import type { Bytes } from '../base/bytes.ts';
import { copy } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Crypto } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import { type Contact, contactOf } from '../kademlia/contact.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import { type Candidate, createShortlist } from '../kademlia/shortlist.ts';
import { type Item, type Nearer, type RequestOf, type ResponseOf, WANT, type Want } from '../wire/messages.ts';

export type LookupEvent =
  | { readonly type: 'asked'; readonly contact: Contact }
  /** `open`: addresses of open nodes that it named. */
  | {
      readonly type: 'answered';
      readonly contact: Contact;
      readonly learned: readonly Contact[];
      readonly open: readonly string[];
      readonly items: readonly Item[];
    }
  | { readonly type: 'failed'; readonly contact: Contact; readonly error: Error }
  /** The last one: the nodes nearest to the target, nearest first. Iterative lookups give those that answered, recursive ones also those that they named. */
  | { readonly type: 'done'; readonly nearest: readonly Storer[] };

/** A node near a key, and its token for a STORE there: null when it was not asked itself. */
export interface Storer {
  readonly contact: Contact;
  readonly token: Bytes | null;
  /** Through whom it was reached. */
  readonly namedBy: NodeId | null;
}

export interface LookupOptions {
  readonly target: Key;
  readonly self: NodeId;
  readonly crypto: Crypto;
  readonly k: number;
  readonly alpha: number;
  /** Where it starts. */
  readonly seeds: readonly Candidate[];
  /** Nodes that have answered already and are not asked again. */
  readonly known?: readonly Contact[];
  /** Null: only nodes are looked for. */
  readonly want: Want | null;
  readonly before?: number;
  readonly signal?: AbortSignal;
  readonly call: <M extends 'FIND_NODE' | 'FIND_VALUE'>(
    to: Candidate,
    method: M,
    request: RequestOf<M>,
    signal: AbortSignal,
  ) => Promise<ResponseOf<M>>;
}

/** Nodes that one lookup asks at most, in units of k: an honest network needs 2 or 3; a hostile node can name ever nearer ones without end. */
const MAX_ASKED = 8;
/** What ends the calls of a lookup that is over; made once, as making an error costs more than a call. */
const OVER = fail('aborted', 'The lookup is over.');

/** Yields what happens as it happens; ends with `done`. Breaking out, or the signal, cancels the calls under way. */
export async function* lookup(options: LookupOptions): AsyncGenerator<LookupEvent, void, undefined> {
  const { target, self, crypto } = options;
  const shortlist = createShortlist({ target, self, k: options.k, alpha: options.alpha });
  const storers = new Map<NodeId, Storer>();
  const events: LookupEvent[] = [];
  const cancel = new AbortController();
  let underWay = 0;
  let wake: () => void = () => undefined;
  const onAbort = (): void => {
    cancel.abort(options.signal && abortError(options.signal));
    wake();
  };
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();

  const ask = async (candidate: Candidate): Promise<void> => {
    const { contact } = candidate;
    try {
      const { nearer, items } = await question(candidate);
      const learned = nearer.contacts.map((fields) => contactOf(crypto, fields));
      storers.set(contact.id, { contact, token: copy(nearer.token), namedBy: candidate.namedBy });
      shortlist.answered(contact.id);
      shortlist.add(learned, contact.id);
      events.push({ type: 'answered', contact, learned, open: nearer.open, items });
    } catch (error) {
      shortlist.failed(contact.id);
      events.push({ type: 'failed', contact, error: error as Error });
    }
    underWay--;
    wake();
  };

  const question = async (candidate: Candidate): Promise<{ nearer: Nearer; items: readonly Item[] }> => {
    if (options.want === null) return { nearer: await options.call(candidate, 'FIND_NODE', { target }, cancel.signal), items: [] };
    const request = { key: target, want: WANT[options.want], before: options.before ?? Number.MAX_SAFE_INTEGER };
    const nearer = await options.call(candidate, 'FIND_VALUE', request, cancel.signal);
    return { nearer, items: nearer.items };
  };

  try {
    for (const contact of options.known ?? []) {
      shortlist.add([contact], null);
      shortlist.answered(contact.id);
    }
    for (const { contact, namedBy } of options.seeds) shortlist.add([contact], namedBy);
    for (;;) {
      if (cancel.signal.aborted) throw abortError(cancel.signal);
      while (shortlist.asked < MAX_ASKED * options.k) {
        const candidate = shortlist.next();
        if (!candidate) break;
        yield { type: 'asked', contact: candidate.contact };
        underWay++;
        void ask(candidate);
      }
      if (underWay === 0 && events.length === 0) break;
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (events.length === 0 && !cancel.signal.aborted) await woken;
      while (events.length > 0) yield events.shift() as LookupEvent;
    }
    yield { type: 'done', nearest: shortlist.nearest(options.k).flatMap(({ id }) => storers.get(id) ?? []) };
  } finally {
    options.signal?.removeEventListener('abort', onAbort);
    cancel.abort(OVER);
  }
}
