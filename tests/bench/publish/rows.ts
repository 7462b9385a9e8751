/** A row of several runs. */
import type { BenchRow } from '../bench-row.ts';

/** The median against `bar`, as `≥ 1.6` or `≤ 4`. */
export function rowOf(
  what: string,
  values: readonly number[],
  { unit, bar, beside = null }: { unit: string; bar: `${'≥' | '≤'} ${number}`; beside?: string | null },
): BenchRow {
  const value = medianOf(values);
  const limit = Number(bar.slice(2));
  const ok = bar.startsWith('≤') ? value <= limit : value >= limit;
  return { what, value, unit, bar, ok, n: values.length, min: Math.min(...values), max: Math.max(...values), beside };
}

/** The median of milliseconds, in seconds with two digits. */
export function secondsOf(times: readonly number[]): string {
  return (medianOf(times) / 1000).toFixed(2);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
}
