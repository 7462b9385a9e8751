/** Publishes a video in a tab that is killed again and again, and counts the segments that were made a second time. */
import type { Page } from 'playwright-core';
import type { Persistent } from './chromium.ts';
import { adopt } from './tab.ts';

declare global {
  interface Window {
    segmentMade(name: string): void;
  }
}

export interface KilledOptions {
  readonly browser: Persistent;
  readonly siteUrl: string;
  /** A file of this machine. */
  readonly path: string;
  readonly title: string;
  readonly kills: number;
  /** In [0, 1). */
  readonly random: () => number;
}

export interface Killed {
  /** Segments that were made again after each kill. */
  readonly again: readonly number[];
  /** Segments that each life made. */
  readonly made: readonly number[];
  /** Kills that came before it was done. */
  readonly kills: number;
  readonly watchUrl: string;
}

/** Segments and milliseconds at most that a life lasts from its first segment on, or from the press. */
const MOST_SEGMENTS = 3;
const MOST_DELAY = 400;
/** Milliseconds until a life does something, and until the last one is done: on a busy machine. */
const PATIENCE = 120_000;
const DONE = 300_000;

/** Tells the test of each segment that a worker of the page gives, by what it is of and its number. */
function reportSegments(): void {
  const report = window.segmentMade;
  window.Worker = class extends Worker {
    label = '';
    readonly counts = new Map<number, number>();
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      this.addEventListener('message', ({ data }) => {
        if (data.type !== 'event') return;
        const { event } = data;
        if (event.type === 'rendition') this.counts.set(event.rendition.index, event.from ?? 0);
        if (event.type !== 'segment') return;
        const number = this.counts.get(event.rendition) ?? 0;
        this.counts.set(event.rendition, number + 1);
        report(`${this.label} ${event.rendition}/${number}`);
      });
    }
    override postMessage(message: { type: string; quality?: { height: number } }, ...rest: never[]): void {
      if (message.type === 'cut') this.label = 'cut';
      else if (message.quality) this.label = `${message.quality.height}p`;
      super.postMessage(message, ...rest);
    }
  };
}

/** The tab ends, as by a crash of its process or as a person closes it: the page hears of neither in time. */
async function kill(page: Page, crash: boolean): Promise<void> {
  if (crash) {
    const devtools = await page.context().newCDPSession(page);
    const crashed = page.waitForEvent('crash');
    devtools.send('Page.crash').catch(() => undefined); // The answer dies with the page.
    await crashed;
  }
  await page.close();
}

export async function publishKilled(options: KilledOptions): Promise<Killed> {
  const { browser, siteUrl, path, random } = options;
  const seen = new Set<string>();
  let life = { made: 0, again: 0 };
  let onSegment: () => void = () => undefined;
  await browser.context.exposeBinding('segmentMade', (_, name: string) => {
    life.made++;
    if (seen.has(name)) life.again++;
    seen.add(name);
    onSegment();
  });
  await browser.context.addInitScript(reportSegments);
  const lives: (typeof life)[] = [];
  let watchUrl = '';

  const open = async (): Promise<Page> => {
    const page = await browser.context.newPage();
    await page.goto(`${siteUrl}/publish`);
    await adopt(page);
    return page;
  };
  const isDone = async (page: Page): Promise<boolean> =>
    page.evaluate(
      () =>
        new Promise<boolean>((resolve, reject) => {
          const forget = window.kadreel?.onUnfinished((all) => {
            resolve(all.length === 0);
            queueMicrotask(() => forget?.());
          });
          if (!forget) reject(new Error('The page has not begun.'));
        }),
    );
  /** It was killed before the browser had a copy: the file is chosen again. */
  const answer = async (page: Page): Promise<void> => {
    const input = page.getByLabel(`File of ${options.title}`);
    await page
      .waitForFunction(() => document.querySelector('.unfinished-card') !== null, null, { timeout: PATIENCE })
      .catch(() => undefined);
    if ((await input.count()) > 0) await input.setInputFiles(path);
  };

  const linkOn = async (page: Page): Promise<string> => {
    await page.goto(siteUrl);
    const link = page.getByRole('link', { name: options.title }).first();
    return new URL((await link.getAttribute('href')) as string, siteUrl).href;
  };

  let kills = 0;
  for (;;) {
    life = { made: 0, again: 0 };
    lives.push(life);
    const page = await open();
    const isOver = lives.length > 1 && (await isDone(page));
    if (lives.length === 1) {
      await page.getByLabel('Video file').setInputFiles(path);
      await page.getByLabel('Title').fill(options.title);
      await page.getByRole('button', { name: 'Publish' }).click();
    } else if (!isOver) await answer(page);
    if (isOver || kills === options.kills) {
      await page.waitForFunction(() => document.querySelector('.unfinished-card') === null, null, { timeout: DONE });
      watchUrl = await linkOn(page);
      await page.close();
      break;
    }
    // The first one has begun, or there would be nothing to go on with.
    const segments = Math.max(Math.floor(random() * (MOST_SEGMENTS + 1)), lives.length === 1 ? 1 : 0);
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (life.made >= segments) end();
      };
      const timer = setTimeout(() => end(), PATIENCE);
      const end = (): void => {
        clearTimeout(timer);
        onSegment = () => undefined;
        setTimeout(resolve, random() * MOST_DELAY);
      };
      onSegment = check;
      check();
    });
    await kill(page, random() < 0.5);
    kills++;
  }
  const again = lives.slice(1, kills + 1).map((one) => one.again);
  return { again, made: lives.map(({ made }) => made), kills, watchUrl };
}
