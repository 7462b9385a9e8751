/** What every Locks must do (ports.ts, `Locks`). */
import { afterEach, describe, expect, test } from 'vitest';
import type { Cancel, Locks } from '../../src/base/ports.ts';

/** `open` gives the locks of one more tab of the same browser. */
export function locksContract(name: string, open: () => Locks): void {
  const held: Cancel[] = [];
  let names = 0;
  afterEach(() => {
    for (const release of held.splice(0)) release();
  });
  const fresh = (): string => `contract-${++names}`;
  const keep = (release: Cancel | null): Cancel => {
    expect(release).not.toBeNull();
    held.push(release as Cancel);
    return release as Cancel;
  };

  describe(`Locks: ${name}`, () => {
    test('one tab has a name, the other one not; another name is another matter', async () => {
      const [one, other, what] = [open(), open(), fresh()];
      keep(await one.take(what));
      expect(await other.take(what)).toBeNull();
      expect(await one.take(what)).toBeNull();
      keep(await other.take(fresh()));
    });

    test('who waits gets it when it is let go of, and nobody twice', async () => {
      const [one, other, what] = [open(), open(), fresh()];
      const release = keep(await one.take(what));
      const waiting = other.wait(what, new AbortController().signal);
      let has = false;
      void waiting.then(() => {
        has = true;
      });
      await one.take(fresh());
      expect(has).toBe(false);
      release();
      release();
      keep(await waiting);
      expect(await one.take(what)).toBeNull();
    });

    test('waiting can be given up, and then the name is free for others', async () => {
      const [one, other, what] = [open(), open(), fresh()];
      const release = keep(await one.take(what));
      const controller = new AbortController();
      const waiting = other.wait(what, controller.signal);
      controller.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
      await expect(other.wait(what, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
      release();
      keep(await one.wait(what, new AbortController().signal));
      expect(await other.take(what)).toBeNull();
    });
  });
}
