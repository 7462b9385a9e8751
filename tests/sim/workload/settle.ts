/** Waits in virtual time for works that must all end. */
import type { World } from '../world.ts';

/** What came of them, in their order. Throws when some have not ended after `patience` virtual ms, or when one failed. */
export async function settleAll<T>(
  { scheduler }: World,
  works: readonly Promise<T>[],
  { what, patience }: { what: string; patience: number },
): Promise<readonly T[]> {
  let left = works.length;
  const done = (): void => {
    left--;
  };
  for (const work of works) work.then(done, done);
  await scheduler.advance(patience, () => left === 0);
  if (left > 0) throw new Error(`${left} of ${works.length} ${what} did not end within ${patience} virtual ms.`);
  return Promise.all(works);
}
