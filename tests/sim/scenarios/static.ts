/** Nobody comes and nobody goes. */
import type { Figures, Scenario, Stage } from '../scenario.ts';
import { measureLookups } from '../workload/lookups.ts';
import { meanRoundTrip } from '../workload/round-trip.ts';
import { createValues } from '../workload/values.ts';
import { lookupFigures, tellLookups, tellValues } from './telling.ts';

/** Lookups whose messages are counted, which takes them 2 s each. */
const COUNTED = 200;

export interface StaticOptions {
  /** Looked up by each of the two styles, and begun in a virtual second. */
  readonly recursive: number;
  readonly iterative: number;
  readonly rate: number;
  readonly values: number;
}

const SMALL: StaticOptions = { recursive: 200, iterative: 200, rate: 10, values: 60 };

export function still(options: StaticOptions = SMALL): Scenario {
  return {
    name: 'static',
    about: 'nobody comes and nobody goes; lookups by both styles, values stored and found',
    play: (stage) => playStill(stage, options),
  };
}

async function playStill({ world, truth, random, tell }: Stage, options: StaticOptions): Promise<Figures> {
  const shared = { world, truth, random };
  const cost = await measureLookups({ ...shared, count: Math.min(COUNTED, options.recursive), style: 'recursive', counted: true });
  const start = performance.now();
  const recursive = await measureLookups({ ...shared, count: options.recursive, rate: options.rate, style: 'recursive' });
  const wall = performance.now() - start;
  tellLookups(tell, 'recursive', { ...recursive, messages: cost.messages });
  const iterative = await measureLookups({ ...shared, count: options.iterative, style: 'iterative', counted: true });
  tellLookups(tell, 'iterative', iterative);
  const values = createValues(world, random);
  const storedLeast = await values.publish(options.values);
  const found = await values.probe();
  tellValues(tell, found);
  return {
    ...lookupFigures('recursive', { ...recursive, messages: cost.messages }),
    ...lookupFigures('iterative', iterative),
    wall,
    meanRoundTrip: meanRoundTrip(world, random),
    storedLeast,
    valuesAsked: found.asked,
    valuesFound: found.found,
    valuesBroken: found.broken,
    leastLinks: Math.min(...world.tabs().map(({ node }) => node.links().length)),
    malformed: world.nodes.reduce((sum, { node }) => sum + node.stats().malformed, 0),
  };
}
