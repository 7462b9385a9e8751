/** Nobody comes and nobody goes. */
import type { Scenario } from '../scenario.ts';
import { measureBackground, measureLookups } from '../workload/lookups.ts';
import { createValues } from '../workload/values.ts';
import { lookupFigures, tellLookups, tellValues } from './telling.ts';

const LOOKUPS = 200;
const VALUES = 60;
/** Virtual ms of quiet, to know what the network sends by itself. */
const QUIET = 30_000;

export const still: Scenario = {
  name: 'static',
  about: 'nobody comes and nobody goes; lookups by both styles, values stored and found',
  async play({ world, truth, random, tell }) {
    const background = await measureBackground(world, QUIET);
    const options = { world, truth, random, count: LOOKUPS, background };
    const recursive = await measureLookups({ ...options, style: 'recursive' });
    tellLookups(tell, 'recursive', recursive);
    const iterative = await measureLookups({ ...options, style: 'iterative' });
    tellLookups(tell, 'iterative', iterative);
    const values = createValues(world, random);
    const storedLeast = await values.publish(VALUES);
    const found = await values.probe();
    tellValues(tell, found);
    return {
      ...lookupFigures('recursive', recursive),
      ...lookupFigures('iterative', iterative),
      storedLeast,
      valuesAsked: found.asked,
      valuesFound: found.found,
      valuesBroken: found.broken,
      leastLinks: Math.min(...world.tabs().map(({ node }) => node.links().length)),
      malformed: world.nodes.reduce((sum, { node }) => sum + node.stats().malformed, 0),
    };
  },
};
