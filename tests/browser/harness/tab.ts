/** A tab of the site that has become a node. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { CopiesReport, KadreelPage, NodeStats } from '../../../src/app/api.ts';
import type { NodeId } from '../../../src/kademlia/key.ts';
import type { VideoId } from '../../../src/media/manifest.ts';

declare global {
  interface Window {
    /** Set by `main.tsx` once the node has started. */
    kadreel?: KadreelPage;
  }
}

/** The site has to load, open its disk and link to the open node (ms): seconds, on a busy machine. */
const ONLINE_TIMEOUT = 30_000;

export interface Tab {
  readonly page: Page;
  readonly id: NodeId;
  /** What went wrong unseen: uncaught errors, and what was written to the console as an error. A test that expects none looks here. */
  readonly errors: readonly string[];
  stats(): Promise<NodeStats>;
  /** Publishes a file of this machine as a program does; resolves when its link works. */
  publish(path: string, title: string, options?: { readonly without?: readonly string[] }): Promise<Published>;
  /** Opens a watch link in this tab, and waits until it is a node again. */
  watch(watchUrl: string): Promise<void>;
  /** Moves the player to a time (seconds), and waits until it shows a picture from there. */
  seek(seconds: number): Promise<void>;
  player(): Promise<Player>;
  /** Until the picture, or the sound of a video without one, moves on from where it is. */
  untilMoving(): Promise<void>;
  /** Until it has a link to an open node. */
  untilOnline(): Promise<void>;
  /** Until it is linked to all of these. */
  untilLinked(...others: readonly NodeId[]): Promise<void>;
  /** Until it is no longer linked to this one; resolves to the time at which it knew, ms since 1970. */
  untilUnlinked(other: NodeId): Promise<number>;
  /** Closes it as a person does, so that it can say goodbye; its context too, when it was opened with one. */
  close(): Promise<void>;
}

export interface Published {
  readonly videoId: VideoId;
  readonly watchUrl: string;
  /** Resolves when the publishing tab says that its copies are stored. */
  copies(): Promise<CopiesReport>;
}

/** The `<video>` of the page. */
export interface Player {
  /** Seconds. */
  readonly currentTime: number;
  readonly duration: number;
  readonly ended: boolean;
  /** HTMLVideoElement.error, as text. */
  readonly error: string | null;
  /** Bytes of sound that were decoded. */
  readonly soundBytes: number;
}

/** Opens an address of the site, and waits until the tab is a node that is linked to an open node. A browser gives the tab a context, and so a disk, of its own; a context is shared with its other tabs. */
export async function openTab(where: Browser | BrowserContext, url: string): Promise<Tab> {
  const own = 'newContext' in where ? await where.newContext() : null;
  const page = await (own ?? (where as BrowserContext)).newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(url);
  const tab = await adopt(page, { errors, own });
  await tab.untilOnline();
  return tab;
}

/** The node of a page that shows the site already: after a reload, for example. */
export async function adopt(page: Page, options: { errors?: string[]; own?: BrowserContext | null } = {}): Promise<Tab> {
  const { errors = [], own = null } = options;
  const wait = { timeout: ONLINE_TIMEOUT, polling: 20 };
  await page.waitForFunction(() => window.kadreel !== undefined, null, wait);
  const id = (await page.evaluate(() => window.kadreel?.node.id)) as NodeId;
  return {
    page,
    id,
    errors,
    stats: async () => (await page.evaluate(() => window.kadreel?.node.stats())) as NodeStats,
    publish: (path, title, options = {}) => publish(page, { path, title, ...options }),
    async watch(watchUrl) {
      await page.goto(watchUrl);
      await page.waitForFunction(() => window.kadreel !== undefined, null, wait);
    },
    seek: (seconds) => seek(page, seconds),
    player: () => page.evaluate(readPlayer),
    async untilMoving() {
      await page.waitForFunction(
        () => (document.querySelector('video')?.readyState ?? 0) >= HTMLMediaElement.HAVE_CURRENT_DATA,
        null,
        wait,
      );
      const from = await page.evaluate(() => document.querySelector('video')?.currentTime ?? 0);
      await page.waitForFunction((start) => (document.querySelector('video')?.currentTime ?? 0) > start + 0.2, from, wait);
    },
    async untilOnline() {
      await page.waitForFunction(() => (window.kadreel?.node.stats().links.openNodes ?? 0) > 0, null, wait);
    },
    async untilLinked(...others) {
      await page.waitForFunction(
        (wanted) => {
          const linked = window.kadreel?.node.stats().linked ?? [];
          return wanted.every((one) => linked.includes(one));
        },
        others,
        wait,
      );
    },
    async untilUnlinked(other) {
      const at = await page.waitForFunction((gone) => !window.kadreel?.node.stats().linked.includes(gone) && Date.now(), other, wait);
      return (await at.jsonValue()) as number;
    },
    async close() {
      await page.close({ runBeforeUnload: true });
      await own?.close();
    },
  };
}

/** A file input of our own hands the page a real file without reading it into memory. */
async function publish(page: Page, video: { path: string; title: string; without?: readonly string[] }): Promise<Published> {
  const input = await page.evaluateHandle(() => Object.assign(document.createElement('input'), { type: 'file' }));
  await input.setInputFiles(video.path);
  const publication = await page.evaluateHandle(
    async ({ input, title, without }) => {
      const file = input.files?.[0];
      if (!file || !window.kadreel) throw new Error('There is no file, or no node to publish it.');
      return window.kadreel.publish(file, { title, without });
    },
    { input, title: video.title, without: video.without ?? [] },
  );
  const link = await publication.evaluate(({ videoId, watchUrl }) => ({ videoId, watchUrl }));
  return { ...link, copies: () => publication.evaluate(({ done }) => done) };
}

async function seek(page: Page, seconds: number): Promise<void> {
  await page.waitForFunction(() => (document.querySelector('video')?.readyState ?? 0) >= HTMLMediaElement.HAVE_METADATA);
  await page.evaluate((to) => {
    const video = document.querySelector('video');
    if (video) video.currentTime = to;
  }, seconds);
  await page.waitForFunction(() => {
    const video = document.querySelector('video');
    return video && !video.seeking && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  });
}

function readPlayer(): Player {
  const video = document.querySelector('video');
  if (!video) throw new Error('This page shows no player.');
  const { currentTime, duration, ended, error } = video;
  const decoded = 'webkitAudioDecodedByteCount' in video ? Number(video.webkitAudioDecodedByteCount) : 0;
  return { currentTime, duration, ended, error: error && `${error.code} ${error.message}`, soundBytes: decoded };
}
