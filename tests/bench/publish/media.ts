/** What the parts of the bench that need no network work with. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Answer } from '../../browser/transcoder/page.ts';
import { openTranscoderTab, type TranscoderTab } from '../../browser/transcoder/start.ts';

/** A tab that has nothing but the transcoder, and a folder, as long as the work takes. */
export async function withMedia<T>(work: (tab: TranscoderTab, folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kadreel-bench-'));
  try {
    const tab = await openTranscoderTab(folder);
    try {
      return await work(tab, folder);
    } finally {
      await tab.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Throws what the page failed with. */
export function answerOf<T>(answer: Answer<T>): T {
  if ('failed' in answer) throw new Error(answer.failed.message);
  return answer.ok;
}
