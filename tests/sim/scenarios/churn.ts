/** Tabs open and close all the time. */
import type { Figures, Scenario, Stage } from '../scenario.ts';
import { createSessions } from '../sessions.ts';
import { type LookupFigures, meanOf, measureLookups } from '../workload/lookups.ts';
import { meanRoundTrip } from '../workload/round-trip.ts';
import { createValues, type ValueFigures } from '../workload/values.ts';
import { lookupFigures, tellLookups, tellValues } from './telling.ts';

const MINUTE = 60_000;

export interface ChurnOptions {
  /** Virtual minutes before anything is measured: in the first ones most short sessions end. */
  readonly warmUp: number;
  /** Measured once a minute. */
  readonly rounds: number;
  /** In each round. */
  readonly lookups: number;
  /** Stored before the warm-up, and looked for in each round. */
  readonly values: number;
}

const SMALL: ChurnOptions = { warmUp: 10, rounds: 10, lookups: 40, values: 60 };

export function churn(options: ChurnOptions = SMALL): Scenario {
  return {
    name: 'churn',
    about: 'sessions with a median of 30 minutes, half of them ended by a crash; 70% of those who go return',
    play: (stage) => playChurn(stage, options),
  };
}

async function playChurn({ world, truth, random, nodes, timeline, tell }: Stage, options: ChurnOptions): Promise<Figures> {
  const { scheduler, network } = world;
  const values = createValues(world, random);
  await values.publish(options.values);
  const sessions = createSessions({ world, random, population: nodes, onChange: timeline.note });
  const [bytesBefore, start] = [network.bytes, scheduler.time()];
  await scheduler.advance(options.warmUp * MINUTE);
  const rate = (2 * (network.bytes - bytesBefore)) / nodes / ((scheduler.time() - start) / 1000);
  const runs: LookupFigures[] = [];
  const probes: ValueFigures[] = [];
  for (let round = 0; round < options.rounds; round++) {
    runs.push(await measureLookups({ world, truth, random, count: options.lookups }));
    probes.push(await values.probe());
    await scheduler.advance(MINUTE);
  }
  sessions.stop();
  const lookups = meanOf(runs);
  const sum = (name: 'asked' | 'found' | 'broken'): number => probes.reduce((total, probe) => total + probe[name], 0);
  const found = { ...(probes.at(-1) as ValueFigures), asked: sum('asked'), found: sum('found'), broken: sum('broken') };
  tellLookups(tell, 'under way', lookups);
  tellValues(tell, found);
  const { join, leave, crash, return: returned } = sessions.counts;
  tell(`joined ${join}, left ${leave}, crashed ${crash}, returned ${returned}`);
  return {
    ...lookupFigures('lookup', lookups),
    meanRoundTrip: meanRoundTrip(world, random),
    valuesAsked: found.asked,
    valuesFound: found.found,
    valuesBroken: found.broken,
    // Bytes a second that each node sends and receives while nobody asks for anything.
    rate,
    ...sessions.counts,
  };
}
