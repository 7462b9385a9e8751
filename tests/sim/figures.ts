/** Plain statistics over what a run measured. */

/** The value below which this share of the values lies; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** NaN of none. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Least, median and most, as text. */
export function spread(values: readonly number[], digits = 0): string {
  return [0, 0.5, 1].map((share) => quantile(values, share).toFixed(digits)).join(' / ');
}
