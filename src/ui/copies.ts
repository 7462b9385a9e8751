/** What is said about the copies of a published video. Pure. */
import type { CopiesReport } from '../app/api.ts';

export interface CopiesLine {
  /** At least one other disk has all of it. */
  readonly safe: boolean;
  readonly title: string;
  readonly text: string;
}

/** `copies` is null while they are being stored; `tabs` is how many tabs are linked now. */
export function copiesLine(copies: CopiesReport | null, tabs: number): CopiesLine {
  if (copies && copies.stored > 0) {
    return {
      safe: true,
      title: 'Safe to close',
      text: `Kept by ${copies.stored} of ${copies.wanted} other tabs. It plays on without this one.`,
    };
  }
  if (tabs === 0) return { safe: false, title: 'Keep this tab open', text: 'Nobody else is here yet to keep a copy.' };
  return { safe: false, title: 'Keep this tab open', text: 'Copies are on their way to other tabs.' };
}
