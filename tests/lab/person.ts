/** Somebody at home with the site open. */
import type { BrowserContext } from 'playwright-core';
import type { IceServer } from '../../src/app/api.ts';
import { openTab, type Tab } from '../browser/harness/tab.ts';
import type { HomeBrowser } from './home-browser.ts';
import type { Home } from './network.ts';
import { SERVERS } from './network.ts';
import { STUN, siteAt } from './servers.ts';
import type { World } from './world.ts';

/** A home, a browser in it, and a tab that is a node. */
export interface Person {
  readonly home: Home;
  readonly browser: HomeBrowser;
  readonly context: BrowserContext;
  readonly tab: Tab;
}

/** Opens the site at the first open node, on the first machine of a home, in a fresh browser that is set to these ICE servers. */
export async function arrive(world: World, home: Home, iceServers: readonly IceServer[] = [STUN]): Promise<Person> {
  const browser = await world.browse(home.hosts[0] as string);
  const context = await browser.newContext({ iceServers });
  return { home, browser, context, tab: await openTab(context, siteAt(SERVERS.openNode)) };
}

/** Until one is linked to the other; false when that has not come about after so many ms. */
export async function becomesLinked(person: Person, other: Person, timeout: number): Promise<boolean> {
  const linked = (id: string): boolean => window.kadreel?.node.stats().linked.includes(id as never) ?? false;
  return person.tab.page.waitForFunction(linked, other.tab.id, { timeout, polling: 50 }).then(
    () => true,
    () => false,
  );
}
