/** Tabs open and close all the time. */
import type { Scenario } from '../scenario.ts';
import { createSessions } from '../sessions.ts';
import { type LookupFigures, meanOf, measureLookups } from '../workload/lookups.ts';
import { createValues } from '../workload/values.ts';
import { lookupFigures, tellLookups, tellValues } from './telling.ts';

const MINUTE = 60_000;
/** The hard first minutes, in which most short sessions end. */
const WARM_UP = 10 * MINUTE;
const ROUNDS = 10;
const LOOKUPS = 40;
const VALUES = 60;

export const churn: Scenario = {
  name: 'churn',
  about: 'sessions with a median of 30 minutes, half of them ended by a crash; 70% of those who go return',
  async play({ world, truth, random, nodes, timeline, tell }) {
    const values = createValues(world, random);
    await values.publish(VALUES);
    const sessions = createSessions({ world, random, population: nodes, onChange: timeline.note });
    await world.scheduler.advance(WARM_UP);
    const runs: LookupFigures[] = [];
    let broken = 0;
    let found = 0;
    let asked = 0;
    for (let round = 0; round < ROUNDS; round++) {
      runs.push(await measureLookups({ world, truth, random, count: LOOKUPS }));
      const probe = await values.probe();
      broken += probe.broken;
      found += probe.found;
      asked += probe.asked;
      if (round === ROUNDS - 1) tellValues(tell, probe);
      await world.scheduler.advance(MINUTE);
    }
    sessions.stop();
    const lookups = meanOf(runs);
    tellLookups(tell, 'under way', lookups);
    tell(
      `joined ${sessions.counts.join}, left ${sessions.counts.leave}, crashed ${sessions.counts.crash}, returned ${sessions.counts.return}`,
    );
    return { ...lookupFigures('lookup', lookups), valuesAsked: asked, valuesFound: found, valuesBroken: broken, ...sessions.counts };
  },
};
