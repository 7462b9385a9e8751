/** By what a file is known again that was chosen before: cheap, and other for another file. */
import { type Bytes, concat, equal, fromUtf8 } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Crypto, SourceFile } from '../base/ports.ts';
import type { FileMark } from './journal-rows.ts';

/** Slices that are read, and the bytes of each: 1 MiB in all, spread evenly from the first byte to the last. */
const SLICES = 16;
const SLICE = 64 * 1024;
const MAX_NAME = 255; // characters, as file systems have it

/** Rejects with `not-found` when the file can't be read: it was moved, removed or changed since it was chosen. */
export async function markOf(crypto: Crypto, file: SourceFile): Promise<FileMark> {
  const { name, size, lastModified = 0 } = file;
  return { name: name.slice(0, MAX_NAME), size, lastModified: Math.max(lastModified, 0), fingerprint: await fingerprintOf(crypto, file) };
}

/** Rejects with `invalid`, and words for a person, for a file that is not the one that the mark was made of. */
export async function checkMark(crypto: Crypto, file: SourceFile, mark: FileMark): Promise<void> {
  if (file.size === mark.size && equal(await fingerprintOf(crypto, file), mark.fingerprint)) return;
  const isSameName = file.name.slice(0, MAX_NAME) === mark.name;
  throw fail(
    'invalid',
    isSameName
      ? `“${mark.name}” has changed since this publication was begun: what was made of it would not fit what is in it now. Choose the file as it was, or discard this and publish it anew.`
      : `“${file.name}” is another file than “${mark.name}”, with which this publication was begun. Choose that one.`,
  );
}

async function fingerprintOf(crypto: Crypto, file: SourceFile): Promise<Bytes> {
  const last = Math.max(file.size - SLICE, 0);
  const starts = new Set(Array.from({ length: SLICES }, (_, n) => Math.floor((last * n) / (SLICES - 1))));
  const parts: Bytes[] = [fromUtf8(`${file.size}/`)];
  try {
    for (const start of starts) parts.push(new Uint8Array(await file.slice(start, Math.min(start + SLICE, file.size)).arrayBuffer()));
  } catch (error) {
    throw fail(
      'not-found',
      `“${file.name}” can’t be read any more: it was moved, removed or changed after it was chosen. Choose it again.`,
      error,
    );
  }
  return crypto.digest(concat(...parts));
}
