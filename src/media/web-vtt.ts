/** Writes captions as WebVTT segments of an HLS subtitle rendition (RFC 8216 §3.5). */
import type { Bytes } from '../base/bytes.ts';
import { fromUtf8 } from '../base/bytes.ts';
import type { Cue } from './subtitles.ts';

/** A segment and the time that it is for (milliseconds). */
export interface CaptionSegment {
  readonly bytes: Bytes;
  readonly duration: number;
}

/** Milliseconds: about 1 kB of text, and 64 of them, which are a group, an hour. */
export const CAPTION_SEGMENT = 60_000;

/** The times in the text are the player's own: picture and sound begin at 0. */
const HEADER = 'WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n';

/**
 * The segments of a video that lasts so long (milliseconds). A cue is in every segment during which it is shown, each time with the same times, as the RFC
 * wants it; what begins after the end is left out.
 */
export function cutCaptions(cues: readonly Cue[], duration: number): readonly CaptionSegment[] {
  const segments: CaptionSegment[] = [];
  for (let start = 0; start < duration; start += CAPTION_SEGMENT) {
    const end = Math.min(start + CAPTION_SEGMENT, duration);
    const inside = cues.filter((cue) => cue.start < end && cue.end > start);
    segments.push({ bytes: fromUtf8([HEADER, ...inside.map(formatCue)].join('\n')), duration: end - start });
  }
  return segments;
}

function formatCue({ start, end, settings, text }: Cue): string {
  return `${formatTime(start)} --> ${formatTime(end)}${settings === '' ? '' : ` ${settings}`}\n${text}\n`;
}

/** `01:02:03.004`. */
function formatTime(milliseconds: number): string {
  const pair = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const seconds = milliseconds / 1000;
  const fraction = String(milliseconds % 1000).padStart(3, '0');
  return `${pair(seconds / 3600)}:${pair((seconds / 60) % 60)}:${pair(seconds % 60)}.${fraction}`;
}
