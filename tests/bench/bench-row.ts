/** One figure of a bench, with what it is held against. */
export interface BenchRow {
  /** What was measured, in words: `tab to tab, 50 MB`. */
  readonly what: string;
  /** The median, where several runs were made. */
  readonly value: number;
  readonly unit: string;
  /** What it should reach: `≥ 10`, `≤ 300`; null when nothing is asked. */
  readonly bar: string | null;
  /** Whether it does; null without a bar. */
  readonly ok: boolean | null;
  /** Runs made, and their extremes. */
  readonly n: number;
  readonly min: number;
  readonly max: number;
  /** The same by another way in the same run, to compare with: `bare RTCDataChannel 24.1`; null when there is none. */
  readonly beside: string | null;
}

/** What `npm run bench -- <name> …` passes on. */
export interface BenchOptions {
  /** What follows the name, `--json` left out. */
  readonly args: readonly string[];
}

/** What `tests/bench/<name>.ts` exports by default. */
export type Bench = (options: BenchOptions) => Promise<readonly BenchRow[]>;
