/** Tabs come to a network that has settled, and stay a day in which nobody else comes or goes: the connections that each begins. */
import { mean } from '../figures.ts';
import type { Scenario } from '../scenario.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** For what the coming together of all the others left to do. */
const SETTLING = 2 * HOUR;
const NEWCOMERS = 10;
/** Between two of them. */
const PAUSE = MINUTE;
/** Since the last one came (h): when their connections are counted. */
const COUNTED = [1, 4, 24];

export const stay: Scenario = {
  name: 'stay',
  about: 'ten tabs come to a network that has settled, and stay for a day: the connections that each begins',
  async play({ world, tell }) {
    const { scheduler } = world;
    await scheduler.advance(SETTLING);
    const newcomers = [];
    for (let count = 0; count < NEWCOMERS; count++) {
      newcomers.push(world.add());
      await scheduler.advance(PAUSE);
    }
    let passed = 0;
    for (const hours of COUNTED) {
      await scheduler.advance((hours - passed) * HOUR);
      passed = hours;
      const punches = newcomers.map(({ host }) => host.punches);
      tell(`${hours} h: ${mean(punches).toFixed(1)} connections begun by each, ${Math.max(...punches)} at most`);
    }
    const punches = newcomers.map(({ host }) => host.punches);
    const links = newcomers.map(({ node }) => node.links().length);
    return { connections: mean(punches), mostConnections: Math.max(...punches), links: mean(links) };
  },
};
