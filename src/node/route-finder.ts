/** The asking half of recursive lookups: a few at once by different first hops, one more when they are late (docs/protocol.md, rule K8). */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Cancel, Clock, Crypto } from '../base/ports.ts';
import { decode, encode } from '../base/schema.ts';
import { abortError } from '../base/timing.ts';
import { type Contact, contactOf } from '../kademlia/contact.ts';
import type { Key, NodeId } from '../kademlia/key.ts';
import type { RoutingTable } from '../kademlia/routing-table.ts';
import { CALLS, type Item, WANT, type Want } from '../wire/messages.ts';
import type { Link } from './link.ts';
import { MAX_ROUTE_HOPS, routeDeadline } from './route-carrier.ts';
import type { NodeSettings } from './settings.ts';

/** What a path came back with. */
export interface RouteAnswer {
  readonly by: Contact;
  /** Of the answering node, for a STORE there. */
  readonly token: Bytes;
  /** The linked nodes of `by` that are nearest to the target, nearest first. */
  readonly contacts: readonly Contact[];
  readonly open: readonly string[];
  readonly items: readonly Item[];
  /** Links on the way to `by`. */
  readonly hops: number;
}

/** What happens during a lookup; `first` is the first hop of the path that it happened on. */
export type RouteEvent =
  | { readonly type: 'asked'; readonly first: Contact }
  | { readonly type: 'answered'; readonly first: Contact; readonly answer: RouteAnswer }
  | { readonly type: 'failed'; readonly first: Contact; readonly error: Error };

export interface RouteQuestion {
  readonly target: Key;
  /** Null: only nodes are looked for. */
  readonly want: Want | null;
  readonly before?: number;
  /** The first node on the way that has something may answer. */
  readonly early: boolean;
  readonly signal?: AbortSignal;
}

export interface RouteFinder {
  /** Yields what happens as it happens, until every path that was tried has ended. Breaking out, or the signal, cancels those under way. */
  find(question: RouteQuestion): AsyncGenerator<RouteEvent, void, undefined>;
}

export interface RouteFinderOptions {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly settings: NodeSettings;
  readonly contact: () => Contact;
  readonly table: RoutingTable;
  readonly link: (id: NodeId) => Link | null;
}

/** Paths that are tried after the first ones, when those fail or are late. */
const MAX_MORE = 2;
/** One more path is tried when no answer came in twice the time that answers took of late, but not sooner than this, ms. */
const LEAST_HEDGE = 500;
/** The weight of the last answer in the time that answers take (as of a round trip in RFC 6298). */
const WEIGHT = 1 / 8;
/** Ends the paths of a lookup that is over; made once, as making an error costs more than a call. */
const OVER = fail('aborted', 'The lookup is over.');

export function createRouteFinder(options: RouteFinderOptions): RouteFinder {
  const { clock, crypto, settings, table } = options;
  /** Milliseconds that an answer takes, smoothed. */
  let usual = LEAST_HEDGE / 2;

  const ask = async (hop: Link, body: Bytes, signal: AbortSignal): Promise<RouteAnswer> => {
    const deadline = routeDeadline(MAX_ROUTE_HOPS, settings);
    const answer = await hop.callRaw(CALLS.ROUTE.method, body, { deadline, signal });
    const response = answer.length <= LIMITS.relayed ? decode(CALLS.ROUTE.response, answer) : null;
    // Whoever on the path made it up: our neighbour may only have carried it.
    if (!response) throw fail('invalid', 'The answer to a lookup is malformed.');
    return {
      by: contactOf(crypto, response.by),
      token: new Uint8Array(response.token),
      contacts: response.contacts.map((fields) => contactOf(crypto, fields)),
      open: response.open,
      items: response.items,
      hops: MAX_ROUTE_HOPS - Math.min(response.left, MAX_ROUTE_HOPS) + 1,
    };
  };

  return {
    async *find({ target, want, before = Number.MAX_SAFE_INTEGER, early, signal }) {
      const near = table.closestLinked(target, settings.routes + MAX_MORE);
      // Any of them will do. Open nodes are few and others need them more.
      const firsts = [...near.filter(({ open }) => open === null), ...near.filter(({ open }) => open !== null)];
      const body = encode(CALLS.ROUTE.request, {
        target,
        want: want === null ? null : WANT[want],
        before,
        early,
        hops: MAX_ROUTE_HOPS,
        from: options.contact(),
      });
      const events: RouteEvent[] = [];
      const cancel = new AbortController();
      let underWay = 0;
      let answered = false;
      let cancelHedge: Cancel = () => undefined;
      let wake: () => void = () => undefined;
      const onAbort = (): void => {
        cancel.abort(signal && abortError(signal));
        wake();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) onAbort();

      const start = (): void => {
        const first = firsts.shift();
        const hop = first && options.link(first.id);
        if (!hop) return;
        underWay++;
        events.push({ type: 'asked', first });
        const since = clock.now();
        ask(hop, body, cancel.signal).then(
          (answer) => {
            usual += WEIGHT * (clock.now() - since - usual);
            answered = true;
            settled({ type: 'answered', first, answer });
          },
          (error: unknown) => {
            if (!answered && !cancel.signal.aborted) start();
            settled({ type: 'failed', first, error: error as Error });
          },
        );
      };
      const settled = (event: RouteEvent): void => {
        underWay--;
        events.push(event);
        wake();
      };
      const hedge = (): void => {
        cancelHedge = clock.after(Math.max(LEAST_HEDGE, 2 * usual), () => {
          if (answered || firsts.length === 0) return;
          start();
          wake();
          hedge();
        });
      };

      try {
        for (let i = 0; i < settings.routes; i++) start();
        hedge();
        for (;;) {
          if (cancel.signal.aborted) throw abortError(cancel.signal);
          while (events.length > 0) yield events.shift() as RouteEvent;
          if (underWay === 0 && events.length === 0) return;
          const woken = new Promise<void>((resolve) => {
            wake = resolve;
          });
          if (events.length === 0 && !cancel.signal.aborted) await woken;
        }
      } finally {
        signal?.removeEventListener('abort', onAbort);
        cancelHedge();
        cancel.abort(OVER);
      }
    },
  };
}
