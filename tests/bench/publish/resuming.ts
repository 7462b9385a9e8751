/** A tab that publishes is killed at random moments, 20 times in one publication: what is made again. `--kills N`, `--seed S`. */
import { launch, launchPersistent } from '../../browser/harness/chromium.ts';
import { publishKilled } from '../../browser/harness/killed-publisher.ts';
import { startSite } from '../../browser/harness/site.ts';
import { openTab } from '../../browser/harness/tab.ts';
import { fixture } from '../../fixtures/make.ts';
import { seededRandom } from '../../sim/random.ts';
import type { Bench } from '../bench-row.ts';

const KILLS = 20;
/** Segments made again after each kill, at most. */
const BAR = 1;

export const resuming: Bench = async ({ args }) => {
  const option = (name: string, otherwise: number): number => {
    const at = args.indexOf(name);
    return at < 0 ? otherwise : Number(args[at + 1]);
  };
  const kills = option('--kills', KILLS);
  const seed = option('--seed', Math.floor(Math.random() * 2 ** 32));
  const random = seededRandom(seed);
  const site = await startSite();
  const others = await launch();
  const browser = await launchPersistent();
  try {
    await openTab(others, site.url); // It keeps the copies.
    const path = await fixture('minute720.mp4');
    const killed = await publishKilled({ browser, siteUrl: site.url, path, title: 'Interrupted', kills, random: () => random.float() });
    const viewer = await openTab(others, killed.watchUrl);
    await viewer.untilMoving();
    const worst = Math.max(0, ...killed.again);
    const total = killed.again.reduce((sum, again) => sum + again, 0);
    return [
      {
        what: `tab killed at a random moment, ${killed.kills} times in one publication of 60 s of 720p: segments made again each time`,
        value: worst,
        unit: 'segments',
        bar: `≤ ${BAR}`,
        ok: worst <= BAR && killed.kills === kills,
        n: killed.kills,
        min: Math.min(...killed.again),
        max: worst,
        beside: `${total} of ${killed.made.reduce((sum, made) => sum + made, 0)} in all, seed ${seed}`,
      },
    ];
  } finally {
    await browser.close();
    await others.close();
    await site.close();
  }
};
