/** Estimates as a person reads them: a range, rounded to what it is worth. Pure. */
import type { TimeRange } from '../app/preflight.ts';

/** `a second or two`, `about 40 s`, `2 to 6 min`, `1.5 to 4 h`. */
export function formatRange({ from, to }: TimeRange): string {
  if (to < 3) return 'a second or two';
  const [divisor, unit] = to < 90 ? [1, 's'] : to < 5400 ? [60, 'min'] : [3600, 'h'];
  const [least, most] = [rounded(from / divisor), rounded(to / divisor)];
  if (most === 0 || least === most) return `about ${most || 1} ${unit}`;
  return least === 0 ? `up to ${most} ${unit}` : `${least} to ${most} ${unit}`;
}

/** Two digits at most; below ten a half may count. */
function rounded(value: number): number {
  if (value < 3) return Math.round(2 * value) / 2;
  return value < 10 ? Math.round(value) : 5 * Math.round(value / 5);
}

/** `5.2 Mbit/s`, `460 kbit/s`. */
export function formatBitrate(bits: number): string {
  if (bits < 999_500) return `${Math.max(1, Math.round(bits / 1000))} kbit/s`;
  const mega = bits / 1e6;
  return `${mega < 9.95 ? mega.toFixed(1).replace(/\.0$/, '') : Math.round(mega)} Mbit/s`;
}

/** `25 frames/s`, `29.97 frames/s`, `about 24 frames/s, varying`. */
export function formatFrameRate({ frameRate, variable }: { readonly frameRate: number; readonly variable: boolean }): string {
  if (frameRate <= 0) return 'unknown frame rate';
  const figure = String(Math.round(frameRate * 100) / 100);
  return variable ? `about ${Math.round(frameRate)} frames/s, varying` : `${figure} frames/s`;
}
