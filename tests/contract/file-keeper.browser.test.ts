import { expect, test } from 'vitest';
import { type BrowserFiles, createFileKeeper } from '../../src/browser/file-keeper.ts';
import { fileKeeperContract } from './file-keeper.ts';

const DATABASE = `contract-files-${crypto.randomUUID()}`;
const open = (): BrowserFiles => createFileKeeper({ name: DATABASE });

fileKeeperContract('a small file, whole', { open, file: async (name, bytes) => new File([new Uint8Array(bytes)], name) });

/** A file with a handle: of the page's own folder, which the browser lets it read without asking. */
async function ownFile(name: string, bytes: readonly number[]): Promise<FileSystemFileHandle> {
  const folder = await navigator.storage.getDirectory();
  const handle = await folder.getFileHandle(name, { create: true });
  const stream = await handle.createWritable();
  await stream.write(new Uint8Array(bytes));
  await stream.close();
  return handle;
}

test('of a file with a handle the handle is kept: the next page reads what is there then', async () => {
  const handle = await ownFile('handled.mp4', [1, 2, 3]);
  const page = open();
  const file = await page.adopt(handle);
  // The input of a form gives the file as another object.
  expect(await page.keep('handled', new File([file], file.name, { lastModified: file.lastModified }))).toBe(true);
  await ownFile('handled.mp4', [7, 8, 9, 10]);
  const next = open();
  expect(await next.state('handled')).toBe('ready');
  expect((await next.open('handled')).size).toBe(4);
  await (await navigator.storage.getDirectory()).removeEntry('handled.mp4');
  await expect(open().open('handled')).rejects.toMatchObject({ code: 'not-found', message: expect.stringContaining('handled.mp4') });
});

test('a file that is dropped is taken from the event', async () => {
  const transfer = new DataTransfer();
  transfer.items.add('some text', 'text/plain');
  transfer.items.add(new File(['x'], 'dropped.mp4'));
  expect((await open().dropped(transfer))?.name).toBe('dropped.mp4');
  expect(await open().dropped(new DataTransfer())).toBeNull();
});
