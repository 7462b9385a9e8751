/** Bad lines: lost packets, dials and punches that fail, and NATs of all kinds. */
import { HOME_NATS } from '../nat.ts';
import type { Scenario } from '../scenario.ts';
import { measureLookups } from '../workload/lookups.ts';
import { createValues } from '../workload/values.ts';
import { lookupFigures, tellLookups, tellValues } from './telling.ts';

const LOOKUPS = 200;
const VALUES = 60;
/** Virtual ms before anything is looked up. */
const QUIET = 30_000;

export const lossy: Scenario = {
  name: 'lossy',
  about: '1% of all packets are lost, 5% of all dials and punches fail, and tabs are behind NATs of which some pairs can not be punched',
  conditions: { loss: 0.01, failures: 0.05, nats: HOME_NATS },
  async play({ world, truth, random, tell }) {
    await world.scheduler.advance(QUIET);
    const lookups = await measureLookups({ world, truth, random, count: LOOKUPS });
    tellLookups(tell, 'on bad lines', lookups);
    const values = createValues(world, random);
    await values.publish(VALUES);
    const found = await values.probe();
    tellValues(tell, found);
    return { ...lookupFigures('lookup', lookups), valuesAsked: found.asked, valuesFound: found.found, valuesBroken: found.broken };
  },
};
