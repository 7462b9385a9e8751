import { fromUtf8, toUtf8 } from '../base/bytes.ts';

/** The text, cut where it would pass `max` bytes of UTF-8: reasons on the wire are bounded in bytes. */
export function shorten(text: string, max: number): string {
  const bytes = fromUtf8(text);
  if (bytes.length <= max) return text;
  let end = max;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return toUtf8(bytes.subarray(0, end)) ?? '';
}
