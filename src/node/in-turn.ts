/** Things that are worked on at once: each costs a lookup or a transfer. */
const AT_ONCE = 4;

/** Works through a list, a few at once. One that fails has its next turn; the others must not wait for it. */
export async function inTurn<T>(things: readonly T[], signal: AbortSignal, work: (thing: T) => Promise<unknown>): Promise<void> {
  const queue = [...things];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !signal.aborted; next = queue.shift()) {
      await work(next).catch(() => undefined);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
