/** A publication with all its qualities, and all of it as a viewer gets it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QualityState } from '../../../src/app/api.ts';
import { saveHls } from './save-hls.ts';
import type { Tab } from './tab.ts';

declare global {
  interface Window {
    /** What became of each quality of the publication that a test began. */
    qualityStates?: readonly QualityState[];
  }
}

/** Publishes a file of this machine as a program does; resolves to the watch link when every quality was made. Rejects when one was not. */
export async function publishWhole(tab: Tab, { path, title, timeout }: { path: string; title: string; timeout: number }): Promise<string> {
  const { page } = tab;
  const input = await page.evaluateHandle(() => Object.assign(document.createElement('input'), { type: 'file' }));
  await input.setInputFiles(path);
  const watchUrl = await page.evaluate(
    async ([element, name]) => {
      const file = element.files?.[0];
      if (!file || !window.kadreel) throw new Error('There is no file, or no node to publish it.');
      const onQualities = (states: readonly QualityState[]): void => {
        window.qualityStates = states;
      };
      return (await window.kadreel.publish(file, { title: name, onQualities })).watchUrl;
    },
    [input, title] as const,
  );
  const states = await page.waitForFunction(
    () => {
      const all = window.qualityStates ?? [];
      return all.length > 0 && all.every(({ phase }) => phase === 'made' || phase === 'failed') && all;
    },
    null,
    { timeout },
  );
  const failed = ((await states.jsonValue()) || []).find(({ phase }) => phase === 'failed');
  if (failed) throw new Error(`${failed.name}: ${failed.problem}`);
  return watchUrl;
}

/** Gives `use` a folder with the master playlist of a video that the tab watches, and everything that it names. */
export async function withSaved<T>(tab: Tab, watchUrl: string, use: (directory: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kadreel-saved-'));
  try {
    await tab.watch(watchUrl);
    await tab.untilMoving(); // The service worker answers by then.
    const path = `/hls/${new URL(watchUrl).pathname.split('/').at(-1)}`;
    await saveHls(tab, folder, `${path}/master.m3u8`);
    return await use(join(folder, path));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
