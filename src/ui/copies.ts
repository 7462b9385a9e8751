/** What is said about the copies of a published video. Pure. */
import type { CopiesReport } from '../app/api.ts';
import { plural } from './format.ts';

export interface CopiesLine {
  /** At least one other disk has all of it, and somebody is here who may be that one. */
  readonly safe: boolean;
  readonly title: string;
  readonly text: string;
}

/**
 * `copies` is null while they are being stored; `growing`: the rest of the video is being made, `making`: smaller pictures are; `tabs` is how many tabs are linked now. Copies are counted once, and holders
 * that have left since are counted with them: with no tab linked, none of them serves anybody.
 */
export function copiesLine(
  copies: CopiesReport | null,
  { tabs, making, growing = false }: { tabs: number; making: boolean; growing?: boolean },
): CopiesLine {
  if (copies && copies.stored > 0 && tabs === 0) {
    const text = `Copies are on ${plural(copies.stored, 'other disk')}, but none of those tabs is linked now.`;
    return { safe: false, title: 'Keep this tab open', text };
  }
  if (copies && copies.stored > 0) {
    return {
      safe: true,
      title: 'Safe to close',
      text: `Kept by ${copies.stored} of ${copies.wanted} other tabs, and read back. It plays on without this one.`,
    };
  }
  if (tabs === 0) return { safe: false, title: 'Keep this tab open', text: 'Nobody else is here yet to keep a copy.' };
  if (copies) return { safe: false, title: 'Keep this tab open', text: 'No other tab could keep a copy. It plays while this one is open.' };
  if (growing)
    return {
      safe: false,
      title: 'Keep this tab open',
      text: 'The rest of the video is being made here. What is there is on its way to other tabs.',
    };
  if (making)
    return {
      safe: false,
      title: 'Keep this tab open',
      text: 'Smaller pictures are being made here, and copies are on their way to other tabs.',
    };
  return { safe: false, title: 'Keep this tab open', text: 'Copies are on their way to other tabs.' };
}
