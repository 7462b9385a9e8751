import type { Browser } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { launch } from './chromium.ts';
import { type Site, startSite } from './site.ts';

/** A site and a browser, as long as the tests of a file run. */
export interface Place {
  readonly site: Site;
  readonly browser: Browser;
}

/** To be called once, on top of the file; the place is there when its tests are. */
export function usePlace(): Place {
  let site: Site | null = null;
  let browser: Browser | null = null;
  beforeAll(async () => {
    site = await startSite();
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });
  return {
    get site() {
      return site as Site;
    },
    get browser() {
      return browser as Browser;
    },
  };
}
