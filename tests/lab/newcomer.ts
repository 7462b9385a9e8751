/** Somebody new comes by an invitation while every open node is dead. */
import { adopt } from '../browser/harness/tab.ts';
import { invite } from './invitation.ts';
import { type Home, SERVERS } from './network.ts';
import type { Person } from './person.ts';
import { openInPage } from './playback.ts';
import type { LabRow } from './row.ts';
import { LASTING_STUN, siteAt, startFiles } from './servers.ts';
import type { World } from './world.ts';

/** The newcomer has the site's files from a server that is no node, and watches a video once it is linked to who invited it. */
export async function newcomerRow(world: World, options: { inviter: Person; home: Home; watchUrl: string }): Promise<LabRow> {
  const { inviter, home, watchUrl } = options;
  const what = 'without any open node, an invited newcomer joins and watches';
  await world.serve(startFiles(world.network));
  const site = siteAt(SERVERS.files);
  const browser = await world.browse(home.hosts[0] as string);
  const context = await browser.newContext({ iceServers: [LASTING_STUN] }, site);
  const page = await context.newPage();
  await page.goto(site);
  const tab = await adopt(page);
  const start = performance.now();
  await invite(inviter.tab.page, page);
  const linked = performance.now() - start;
  await openInPage(page, new URL(new URL(watchUrl).pathname, site).href);
  await tab.untilMoving();
  const { received, links } = await tab.stats();
  return {
    part: 'homes',
    what,
    got: `linked after ${Math.round(linked)} ms, then to ${links.tabs} tabs; plays with ${received.tabs} B from tabs`,
    must: 'joins and plays',
    ok: received.tabs > 0 && received.openNodes === 0,
    figures: { linked, tabs: links.tabs },
  };
}
