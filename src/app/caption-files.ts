/** Captions out of a person's file: which letters, which language, which texts. The parser is loaded when there is something to parse. */
import { fail } from '../base/errors.ts';
import type { SourceFile } from '../base/ports.ts';
import { isLanguage } from '../media/additions.ts';
import type { Cue, SubtitleProblem } from '../media/subtitles.ts';

/** The captions of one language, read and checked. */
export interface CaptionFile {
  readonly fileName: string;
  /** BCP 47; `und` while nobody has said which. */
  readonly language: string;
  readonly cues: readonly Cue[];
  /** What was left out. */
  readonly problems: readonly SubtitleProblem[];
  readonly encoding: Encoding;
}

/** How the bytes were read. `windows-1252` is a guess: it is what files that are not Unicode mostly are. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';

/** Bytes: ten hours of dense talk are 1 MB. */
const MAX_BYTES = 5_000_000;
/** A language that was not said (BCP 47). */
export const UNKNOWN_LANGUAGE = 'und';

/** Rejects with `unsupported` and what to do when no text can be read out of it, `too-large` above 5 MB. */
export async function readCaptionFile(file: SourceFile): Promise<CaptionFile> {
  if (file.size > MAX_BYTES) throw fail('too-large', `“${file.name}” is larger than 5 MB: captions are text, and never are.`);
  const [{ readSubtitles }, bytes] = await Promise.all([import('../media/subtitles.ts'), file.slice(0, file.size).arrayBuffer()]);
  const { text, encoding } = decodeText(new Uint8Array(bytes));
  const { cues, problems } = readSubtitles(text);
  if (cues.length === 0) {
    const [first] = problems;
    const why = first ? `In line ${first.line} ${first.what}.` : 'It is empty.';
    throw fail('unsupported', `“${file.name}” has no captions that can be read. ${why} Choose an .srt or .vtt file.`);
  }
  return { fileName: file.name, language: languageIn(file.name), cues, problems, encoding };
}

/** By its byte order mark; without one as UTF-8 where it is that, else as what Western Windows wrote. */
export function decodeText(bytes: Uint8Array<ArrayBuffer>): { readonly text: string; readonly encoding: Encoding } {
  const [a, b] = bytes;
  const marked = a === 0xff && b === 0xfe ? 'utf-16le' : a === 0xfe && b === 0xff ? 'utf-16be' : null;
  if (marked) return { text: new TextDecoder(marked).decode(bytes), encoding: marked };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), encoding: 'utf-8' };
  } catch {
    return { text: new TextDecoder('windows-1252').decode(bytes), encoding: 'windows-1252' };
  }
}

/** The language in a name like `film.pt-BR.srt`; `und` when there is none that has a name. */
export function languageIn(fileName: string): string {
  const tag = /[._ -]([a-z]{2,3}(?:[-_][a-z0-9]{2,8})?)(?:\.(?:sdh|cc|forced))?\.(?:srt|vtt)$/i.exec(fileName)?.[1]?.replace('_', '-');
  return (tag && canonicalLanguage(tag)) ?? UNKNOWN_LANGUAGE;
}

/** The tag as it should be written, or null when it is none or names no language that anybody knows. */
export function canonicalLanguage(tag: string): string | null {
  try {
    const [canonical = ''] = Intl.getCanonicalLocales(tag.trim());
    return isLanguage(canonical) && languageName(canonical, 'en') !== null ? canonical : null;
  } catch {
    return null;
  }
}

/** A language's name in another one, or in itself; null when it has none. */
export function languageName(tag: string, inLanguage = tag): string | null {
  try {
    return new Intl.DisplayNames([inLanguage, 'en'], { type: 'language', fallback: 'none' }).of(tag) ?? null;
  } catch {
    return null;
  }
}
