/** A tab that was just opened knows nobody yet: what is asked of the network waits for its first links. */
import type { Clock } from '../base/ports.ts';
import { abortError, wait } from '../base/timing.ts';
import type { DhtNode } from '../node/dht-node.ts';

/** Part of a node that tells of its links. */
export type Linked = Pick<DhtNode, 'links' | 'onLinks'>;

/** Resolves at the next change of the links, or after `ms`. Rejects when the signal fires. */
export function untilLinksChange(node: Linked, options: { clock: Clock; ms: number; signal: AbortSignal }): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => (): void => {
      cancel();
      unlisten();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = end(() => reject(abortError(signal)));
    const cancel = options.clock.after(options.ms, end(resolve));
    const unlisten = node.onLinks(end(resolve));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** Without any link after this long (ms) there is nobody to ask: what is on this disk is all there is. */
const PATIENCE = 8_000;

/** Resolves when there is a link, or when waiting longer makes no sense. */
export async function untilLinked(node: Linked, options: { clock: Clock; signal: AbortSignal }): Promise<void> {
  const until = options.clock.now() + PATIENCE;
  while (node.links().length === 0) {
    const left = until - options.clock.now();
    if (left <= 0) return;
    await untilLinksChange(node, { ...options, ms: left });
  }
}

/** Between two tries, and tries in all, ms: the neighbourhood stands a few seconds after the first link, however fast the next ones open. */
const RETRY = 1_500;
const MAX_TRIES = 4;

/** Asks again while the neighbourhood grows, as long as the answer is null. */
export async function askWhileJoining<T>(
  node: Linked,
  options: { clock: Clock; signal: AbortSignal },
  ask: () => Promise<T | null>,
): Promise<T | null> {
  for (let tries = 1; ; tries++) {
    const answer = await ask();
    if (answer !== null || tries === MAX_TRIES) return answer;
    if (tries === 1) await untilLinked(node, options);
    else await wait(options.clock, RETRY, options.signal);
  }
}
