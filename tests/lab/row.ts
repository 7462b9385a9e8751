/** One result of the lab. */
export interface LabRow {
  readonly part: string;
  /** In words: `full cone — symmetric`. */
  readonly what: string;
  /** What was seen, in words. */
  readonly got: string;
  /** What must be seen; null when nothing is asked. */
  readonly must: string | null;
  /** Whether it was; null where nothing is asked. */
  readonly ok: boolean | null;
  /** The same as numbers, for programs. */
  readonly figures?: Readonly<Record<string, number | string | null>>;
}
