/** What every FileKeeper must do (ports.ts, `FileKeeper`). */
import { describe, expect, test } from 'vitest';
import type { FileKeeper, SourceFile } from '../../src/base/ports.ts';

export interface FileKeeperContract {
  /** The keeper of a page of one browser that was just opened. */
  readonly open: () => FileKeeper;
  /** A file that can be kept, with these bytes in it. */
  readonly file: (name: string, bytes: readonly number[]) => Promise<SourceFile>;
}

export function fileKeeperContract(name: string, { open, file }: FileKeeperContract): void {
  const read = async (from: SourceFile): Promise<number[]> => [...new Uint8Array(await from.slice(0, from.size).arrayBuffer())];

  describe(`FileKeeper: ${name}`, () => {
    test('what was never kept is not there', async () => {
      expect(await open().state('absent')).toBe('none');
      await expect(open().open('absent')).rejects.toMatchObject({ code: 'not-found' });
    });

    test('another page finds what one has kept, each under its name', async () => {
      const one = open();
      expect(await one.keep('a', await file('one.mp4', [1, 2, 3]))).toBe(true);
      expect(await one.keep('b', await file('two.mp4', [4, 5]))).toBe(true);
      const next = open();
      expect(await next.state('a')).toBe('ready');
      const found = await next.open('a');
      expect([found.name, found.size, await read(found)]).toEqual(['one.mp4', 3, [1, 2, 3]]);
      expect(await read(await next.open('b'))).toEqual([4, 5]);
    });

    test('a second file under a name takes the place of the first', async () => {
      const keeper = open();
      await keeper.keep('c', await file('one.mp4', [1]));
      await keeper.keep('c', await file('other.mp4', [2]));
      expect(await read(await open().open('c'))).toEqual([2]);
    });

    test('what is removed is gone; removing it again does nothing', async () => {
      const keeper = open();
      await keeper.keep('d', await file('one.mp4', [1]));
      await keeper.remove('d');
      await keeper.remove('d');
      expect(await open().state('d')).toBe('none');
    });
  });
}
