/** What every Siblings must do (ports.ts, `Siblings`). */
import { describe, expect, test } from 'vitest';
import type { Siblings } from '../../src/base/ports.ts';

/** `open` gives one more tab of the same browser. */
export function siblingsContract(name: string, open: () => Siblings): void {
  const heardBy = (tab: Siblings): string[] => {
    const rows: string[] = [];
    tab.listen((row) => rows.push(row));
    return rows;
  };

  describe(`Siblings: ${name}`, () => {
    test('what one tab tells the others hear, in order, and it does not itself', async () => {
      const [one, other, third] = [open(), open(), open()];
      const [own, here, there] = [heardBy(one), heardBy(other), heardBy(third)];
      one.tell('network');
      one.tell('help');
      await expect
        .poll(() => [here, there])
        .toEqual([
          ['network', 'help'],
          ['network', 'help'],
        ]);
      other.tell('end');
      await expect.poll(() => own).toEqual(['end']);
      expect(here).toEqual(['network', 'help']);
    });

    test('who listens no more hears no more', async () => {
      const [one, other] = [open(), open()];
      const early: string[] = [];
      const stop = other.listen((row) => early.push(row));
      const late = heardBy(other);
      one.tell('first');
      await expect.poll(() => late).toEqual(['first']);
      stop();
      one.tell('second');
      await expect.poll(() => late).toEqual(['first', 'second']);
      expect(early).toEqual(['first']);
    });
  });
}
