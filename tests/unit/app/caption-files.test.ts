/** A person's caption files: their letters, their language, and what is said when they can't be read. */
import { describe, expect, test } from 'vitest';
import { canonicalLanguage, decodeText, languageIn, languageName, readCaptionFile } from '../../../src/app/caption-files.ts';
import type { Bytes } from '../../../src/base/bytes.ts';
import type { SourceFile } from '../../../src/base/ports.ts';

const SRT = '1\r\n00:00:01,000 --> 00:00:02,000\r\nÄpfel «été»\r\n';

function fileOf(bytes: Bytes, name = 'film.de.srt'): SourceFile {
  return { name, size: bytes.length, slice: (from, to) => ({ arrayBuffer: async () => bytes.slice(from, to).buffer }) };
}

const utf8 = (text: string): Bytes => new TextEncoder().encode(text) as Bytes;
const utf16 = (text: string, big: boolean): Bytes => {
  const bytes = new Uint8Array(2 * text.length);
  const view = new DataView(bytes.buffer);
  [...text].forEach((_, n) => {
    view.setUint16(2 * n, text.charCodeAt(n), !big);
  });
  return bytes;
};
/** These letters are as in Latin-1. Node takes all others for Latin-1, too, browsers do not: the test of the card has a dash. */
const windows = (text: string): Bytes => Uint8Array.from([...text], (letter) => letter.charCodeAt(0));

describe('letters', () => {
  test.each([
    ['utf-8', utf8(SRT)],
    ['utf-8', utf8(`\uFEFF${SRT}`)],
    ['utf-16le', utf16(`\uFEFF${SRT}`, false)],
    ['utf-16be', utf16(`\uFEFF${SRT}`, true)],
    ['windows-1252', windows(SRT)],
  ] as const)('%s', async (encoding, bytes) => {
    expect(decodeText(bytes).encoding).toBe(encoding);
    const read = await readCaptionFile(fileOf(bytes));
    expect(read).toMatchObject({ encoding, language: 'de', problems: [], cues: [{ start: 1_000, text: 'Äpfel «été»' }] });
  });
});

describe('languages', () => {
  test.each([
    ['film.en.srt', 'en'],
    ['Film.pt-br.vtt', 'pt-BR'],
    ['film_zh-hant.srt', 'zh-Hant'],
    ['film.de.forced.srt', 'de'],
    ['film.srt', 'und'],
    ['the.end.srt', 'und'],
    ['2024.x9.srt', 'und'],
  ])('%s is in %s', (name, language) => expect(languageIn(name)).toBe(language));

  test('tags are written as they should be, and what names no language is none', () => {
    expect(canonicalLanguage('PT-br')).toBe('pt-BR');
    for (const wrong of ['', 'xq', 'en_US_x', 'a"b', 'not a tag']) expect(canonicalLanguage(wrong)).toBeNull();
    expect(languageName('de')).toBe('Deutsch');
  });
});

describe('what is refused', () => {
  test('says the line, and what to do', async () => {
    await expect(readCaptionFile(fileOf(utf8('Hello\nthere')))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/film\.de\.srt.*In line 1 there are no times.*Choose an \.srt or \.vtt file\.$/),
    });
    await expect(readCaptionFile(fileOf(utf8('')))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('empty'),
    });
  });

  test('is what is too large to be text', async () => {
    const large = { ...fileOf(utf8('')), size: 6_000_000 };
    await expect(readCaptionFile(large)).rejects.toMatchObject({ code: 'too-large' });
  });
});
