/** Reads subtitle files (SubRip and WebVTT) into cues whose text is safe WebVTT. What can't be read is told with its line, the rest is kept. */
import { assertNever } from '../base/errors.ts';

/** One text and when it is shown. */
export interface Cue {
  /** Milliseconds. */
  readonly start: number;
  readonly end: number;
  /** WebVTT's cue settings, checked; empty for the usual place. */
  readonly settings: string;
  /** WebVTT cue text: lines without an empty one, tags checked, everything else escaped. */
  readonly text: string;
}

/** What could not be used. */
export interface SubtitleProblem {
  /** Counted from 1. */
  readonly line: number;
  /** A sentence without its full stop. */
  readonly what: string;
}

export interface Subtitles {
  readonly format: 'srt' | 'vtt';
  /** By start. */
  readonly cues: readonly Cue[];
  readonly problems: readonly SubtitleProblem[];
}

/** Cues of one file (items), and characters of one cue: more is no film, but an attempt. */
const MAX_CUES = 20_000;
const MAX_CUE_TEXT = 2_000;
/** Milliseconds: what fits in a manifest's durations. */
const MAX_TIME = 0xffff_ffff;

/** Hours may be missing; a comma or a dot before the fraction, which may be missing too. */
const TIME = '(?:(\\d{1,3}):)?(\\d{1,2}):(\\d{1,2})(?:[.,](\\d{1,3}))?';
const TIMES = new RegExp(`^\\s*${TIME}\\s*-->\\s*${TIME}(?:\\s+(.*))?$`);

/** Reads a file's text; its line ends may be of any kind. Never throws. */
export function readSubtitles(text: string): Subtitles {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  const format = /^WEBVTT([ \t]|$)/.test(lines[0] ?? '') ? 'vtt' : 'srt';
  const cues: Cue[] = [];
  const problems: SubtitleProblem[] = [];
  for (const block of blocksOf(lines, format)) {
    const read = readBlock(block, format);
    switch (read.type) {
      case 'cue':
        if (cues.length < MAX_CUES) cues.push(read.cue);
        else {
          problems.push({ line: block.line, what: `there are more than ${MAX_CUES} texts; what follows is left out` });
          return finish();
        }
        break;
      case 'problem':
        problems.push(read.problem);
        break;
      case 'nothing':
        break;
      default:
        assertNever(read);
    }
  }
  return finish();

  function finish(): Subtitles {
    return { format, cues: cues.sort((a, b) => a.start - b.start || a.end - b.end), problems };
  }
}

/** Lines up to an empty one, and the number of the first. */
interface Block {
  readonly line: number;
  readonly lines: readonly string[];
}

function* blocksOf(lines: readonly string[], format: Subtitles['format']): Generator<Block> {
  // The header of a WebVTT file goes up to its first empty line.
  let from = format === 'vtt' ? Math.max(lines.indexOf(''), 0) : 0;
  if (format === 'vtt' && !lines.includes('')) from = lines.length;
  let open: string[] = [];
  let line = 0;
  for (const [index, text] of lines.entries()) {
    if (index < from) continue;
    if (text.trim() === '') {
      if (open.length > 0) yield { line, lines: open };
      open = [];
    } else {
      if (open.length === 0) line = index + 1;
      open.push(text);
    }
  }
  if (open.length > 0) yield { line, lines: open };
}

type Read =
  | { readonly type: 'cue'; readonly cue: Cue }
  | { readonly type: 'problem'; readonly problem: SubtitleProblem }
  | { readonly type: 'nothing' };

function readBlock({ line, lines }: Block, format: Subtitles['format']): Read {
  if (format === 'vtt' && /^(NOTE([ \t]|$)|STYLE\s*$|REGION\s*$)/.test(lines[0] ?? '')) return { type: 'nothing' };
  const problem = (at: number, what: string): Read => ({ type: 'problem', problem: { line: line + at, what } });
  // A number or a name may stand before the times.
  const at = lines.slice(0, 2).findIndex((text) => text.includes('-->'));
  if (at < 0) return problem(0, 'there are no times: “00:00:01,000 --> 00:00:02,500” stands before each text');
  const found = TIMES.exec(lines[at] ?? '');
  if (!found) return problem(at, 'the times can’t be read: they are written like “00:00:01,000 --> 00:00:02,500”');
  const [, ...parts] = found;
  const [start, end] = [timeOf(parts.slice(0, 4)), timeOf(parts.slice(4, 8))];
  if (start === null || end === null) return problem(at, 'a time has more than 59 minutes or seconds, or is too long');
  if (end <= start) return problem(at, 'it ends before it begins');
  const written = lines.slice(at + 1);
  const again = written.findIndex((text) => text.includes('-->'));
  if (again >= 0) return problem(at + 1 + again, 'an empty line is missing before these times');
  const text = written.map((row) => safeText(row)).filter((row) => row.trim() !== '');
  if (text.length === 0) return { type: 'nothing' };
  if (text.join('\n').length > MAX_CUE_TEXT) return problem(at, `the text has more than ${MAX_CUE_TEXT} characters`);
  const settings = format === 'vtt' ? safeSettings(parts[8] ?? '') : placeOf(written);
  return { type: 'cue', cue: { start, end, settings, text: closeTags(text.join('\n')) } };
}

function timeOf([hours = '0', minutes = '', seconds = '', fraction = '']: readonly (string | undefined)[]): number | null {
  if (Number(minutes) > 59 || Number(seconds) > 59) return null;
  const time = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(fraction.padEnd(3, '0'));
  return time <= MAX_TIME ? time : null;
}

/** SubRip's `{\an8}`: 7 to 9 are the top of the picture, as keys lie on a number pad. */
function placeOf(rows: readonly string[]): string {
  return rows.some((row) => /\{\\an[789]\}/.test(row)) ? 'line:0' : '';
}

/** Settings that only place a text; a region would refer to what is not copied. */
function safeSettings(written: string): string {
  return written
    .split(/\s+/)
    .filter((setting) =>
      /^(vertical:(rl|lr)|(line|position):-?[\d.]{1,8}%?(,(start|center|end|line-left|line-right))?|size:[\d.]{1,8}%|align:(start|center|end|left|right))$/.test(
        setting,
      ),
    )
    .join(' ');
}

const TAG = /<(\/?)([A-Za-z]+)((?:[.\s][^<>]*)?)>/g;
/** Tags without parameters that mean the same in both formats, or only in WebVTT. */
const PLAIN_TAGS = ['b', 'i', 'u', 'ruby', 'rt'];
const ENTITY = /&(?!(?:amp|lt|gt|nbsp|lrm|rlm);)/g;

/** The text with known tags kept bare, others dropped, and every other special character escaped. */
function safeText(row: string): string {
  const plain = row.replace(/\{\\[^}]*\}/g, '').replaceAll('\0', '');
  let safe = '';
  let from = 0;
  for (const found of plain.matchAll(TAG)) {
    safe += escapeText(plain.slice(from, found.index));
    const [whole, slash = '', name = ''] = found;
    if (PLAIN_TAGS.includes(name.toLowerCase())) safe += `<${slash}${name.toLowerCase()}>`;
    from = found.index + whole.length;
  }
  return safe + escapeText(plain.slice(from));
}

function escapeText(text: string): string {
  return text.replace(ENTITY, '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Closes what was left open, and leaves out what closes nothing. */
function closeTags(text: string): string {
  const open: string[] = [];
  const balanced = text.replace(/<(\/?)(\w+)>/g, (tag, slash: string, name: string) => {
    if (slash === '') {
      open.push(name);
      return tag;
    }
    const at = open.lastIndexOf(name);
    if (at < 0) return '';
    return open
      .splice(at)
      .toReversed()
      .map((one) => `</${one}>`)
      .join('');
  });
  return (
    balanced +
    open
      .toReversed()
      .map((name) => `</${name}>`)
      .join('')
  );
}
