/** Subtitle files, as they are and as they should be. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSubtitles } from '../../../src/media/subtitles.ts';
import { CAPTION_SEGMENT, cutCaptions } from '../../../src/media/web-vtt.ts';

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('readSubtitles', () => {
  test('SubRip: numbers, commas, several lines, any line end', () => {
    for (const end of ['\n', '\r\n', '\r']) {
      const file = ['1', '00:00:01,000 --> 00:00:02,500', 'One', 'and two', '', '2', '00:01:00,5 --> 01:00:01,25', 'Three', '', ''].join(
        end,
      );
      expect(readSubtitles(file)).toEqual({
        format: 'srt',
        cues: [
          { start: 1_000, end: 2_500, settings: '', text: 'One\nand two' },
          { start: 60_500, end: 3_601_250, settings: '', text: 'Three' },
        ],
        problems: [],
      });
    }
  });

  test('WebVTT: header, names, notes, styles, regions and settings; only what places a text is kept', () => {
    const file = `\uFEFFWEBVTT - a title
Kind: captions

STYLE
::cue { background: url(https://example.org/x) }

NOTE 00:00:09.000 --> 00:00:10.000
is no cue

intro
00:01.000 --> 00:02.000 align:start position:10% region:left line:0 foo:bar
Hello <v Mary>there</v>

00:00:03.000 --> 00:00:04.000
&lt;3 &amp; more
`;
    expect(readSubtitles(file)).toEqual({
      format: 'vtt',
      cues: [
        { start: 1_000, end: 2_000, settings: 'align:start position:10% line:0', text: 'Hello there' },
        { start: 3_000, end: 4_000, settings: '', text: '&lt;3 &amp; more' },
      ],
      problems: [],
    });
  });

  test('what can’t be read is told with its line, and the rest is there', () => {
    const file = [
      '1',
      '00:00:01,000 -> 00:00:02,000',
      'A',
      '',
      '2',
      '00:00:05,000 --> 00:00:04,000',
      'B',
      '',
      '3',
      '00:00:06,000 --> 00:00:99,000',
      'C',
    ];
    const more = [
      '',
      '4',
      'x --> y',
      'D',
      '',
      '5',
      '00:00:07,000 --> 00:00:08,000',
      'E',
      '00:00:09,000 --> 00:00:10,000',
      'F',
      '',
      '6',
      '00:00:11,000 --> 00:00:12,000',
      'G',
    ];
    const { cues, problems } = readSubtitles([...file, ...more].join('\n'));
    expect(cues.map(({ text }) => text)).toEqual(['G']);
    expect(problems.map(({ line }) => line)).toEqual([1, 6, 10, 14, 20]);
    expect(problems.map(({ what }) => what).join('; ')).toMatch(
      /no times.*ends before it begins.*59 minutes.*can’t be read.*empty line is missing/,
    );
  });

  test('tags: bold and its like stay, closed; the rest goes, and nothing is left that a reader would take for one', () => {
    const text = (row: string): string | undefined => readSubtitles(`1\n00:00:01,000 --> 00:00:02,000\n${row}\n`).cues[0]?.text;
    expect(text('<i>open')).toBe('<i>open</i>');
    expect(text('</b>closed <B>up</i></B>')).toBe('closed <b>up</b>');
    expect(text('<font color="red">red</font>')).toBe('red');
    expect(text('a < b > c & d &nbsp; &#60;')).toBe('a &lt; b &gt; c &amp; d &nbsp; &amp;#60;');
    expect(text('<script>alert(1)</script>')).toBe('alert(1)');
    expect(text('<img src=x onerror=alert(1)>')).toBe(undefined);
    expect(text('<b onclick="x">bold</b>')).toBe('<b>bold</b>');
    expect(text('{\\an8}up {\\i1}there')).toBe('up there');
    expect(readSubtitles('1\n00:00:01,000 --> 00:00:02,000\n{\\an8}up\n').cues[0]?.settings).toBe('line:0');
  });

  test('of any text it makes cues that are safe and end after they begin, and never throws', () => {
    const word = fc.constantFrom(
      '-->',
      '00:00:01,000',
      '00:00:02.5',
      '99:99:99',
      '<i>',
      '</b>',
      '<script>',
      '&',
      '&lt;',
      'WEBVTT',
      'NOTE',
      '\n',
      '\r',
      '\n\n',
      ' ',
      '{\\an8}',
      '\0',
      'é',
      '7',
      'line:0',
    );
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.info(`subtitles: seed ${seed}`);
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string()), { maxLength: 60 }), (words) => {
        const { cues } = readSubtitles(words.join(''));
        for (const { start, end, text, settings } of cues) {
          expect(end).toBeGreaterThan(start);
          expect(text).not.toMatch(/\n\n|^\n|\n$|-->|\r|\0/);
          expect(text.replace(/<\/?(b|i|u|ruby|rt)>/g, '')).not.toMatch(/[<>]/);
          expect(settings).not.toMatch(/\n|-->/);
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });

  test('it reads its own writing to the same cues', () => {
    const cue = fc.record({
      start: fc.nat(50_000),
      length: fc.integer({ min: 1, max: 9_000 }),
      text: fc.constantFrom('One', 'Two\n<i>lines</i>', 'a &amp; b', '&lt;tag&gt;'),
    });
    const seed = Math.floor(Math.random() * 2 ** 31);
    console.info(`captions round trip: seed ${seed}`);
    fc.assert(
      fc.property(fc.array(cue, { minLength: 1, maxLength: 20 }), (list) => {
        const cues = list
          .map(({ start, length, text }) => ({ start, end: start + length, settings: '', text }))
          .sort((a, b) => a.start - b.start || a.end - b.end);
        const [only] = cutCaptions(cues, CAPTION_SEGMENT);
        expect(readSubtitles(textOf(only?.bytes ?? new Uint8Array())).cues).toEqual(cues);
      }),
      { seed },
    );
  });
});

describe('cutCaptions', () => {
  const cue = (start: number, end: number) => ({ start, end, settings: '', text: `${start}` });

  test('is WebVTT with the video’s own times, to the last letter', () => {
    const [segment] = cutCaptions([{ start: 3_723_004, end: 3_725_000, settings: 'line:0', text: 'High\n<i>up</i>' }], 3_780_000).slice(62);
    expect(textOf(segment?.bytes ?? new Uint8Array())).toBe(
      'WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\n01:02:03.004 --> 01:02:05.000 line:0\nHigh\n<i>up</i>\n',
    );
  });

  test('covers the whole video, and shows a text in every segment that it lasts into', () => {
    const segments = cutCaptions([cue(1_000, 2_000), cue(59_000, 121_000), cue(60_000, 61_000), cue(130_000, 131_000)], 125_500);
    expect(segments.map(({ duration }) => duration)).toEqual([60_000, 60_000, 5_500]);
    const texts = segments.map(({ bytes }) => readSubtitles(textOf(bytes)).cues.map(({ start }) => start));
    expect(texts).toEqual([[1_000, 59_000], [59_000, 60_000], [59_000]]);
  });
});
