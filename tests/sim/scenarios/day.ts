/** A whole day of tabs that open and close, and of groups of media that must not be lost. */
import type { Figures, Scenario, Stage } from '../scenario.ts';
import { createSessions } from '../sessions.ts';
import { sumVolumes } from '../traffic.ts';
import { createGroups, NOMINAL_GROUP } from '../workload/groups.ts';
import { type LookupFigures, meanOf, measureLookups } from '../workload/lookups.ts';
import { lookupFigures, tellGroups, tellLookups } from './telling.ts';

const HOUR = 3_600_000;
const LOOKUPS = 20;

export interface DayOptions {
  readonly hours?: number;
  /** Videos of one group each. */
  readonly videos?: number;
}

export function day({ hours = 24, videos = 100 }: DayOptions = {}): Scenario {
  return {
    name: 'day',
    about: `${hours} hours of sessions with a median of 30 minutes; ${videos} videos are published first, and nobody helps`,
    play: (stage) => playDay(stage, { hours, videos }),
  };
}

async function playDay(stage: Stage, { hours, videos }: Required<DayOptions>): Promise<Figures> {
  const { world, random, nodes, timeline, tell, traffic, truth, invariants } = stage;
  const { scheduler } = world;
  const groups = createGroups(world, random);
  tell(`${videos} groups published, ${(await groups.publish(videos)).toFixed(1)} copies each besides the publisher's`);
  const sessions = createSessions({ world, random, population: nodes, onChange: timeline.note });
  const start = traffic.total();
  const planned: number[] = [];
  const lookups: LookupFigures[] = [];
  for (let hour = 1; hour <= hours; hour++) {
    await scheduler.advance(HOUR);
    const census = await groups.census();
    const measured = await measureLookups({ world, truth, random, count: LOOKUPS });
    lookups.push(measured);
    planned.push(scheduler.pending / world.nodes.filter((one) => one.up).length);
    tell(
      `hour ${hour}: ${census.copies.toFixed(1)} copies there of each, ${census.away} away, ${census.lost} lost; ${planned.at(-1)?.toFixed(0)} timers a node`,
    );
    tellLookups(tell, 'in this hour', measured);
  }
  const census = await groups.census();
  const found = await groups.probe();
  tellGroups(tell, found, census);
  const volumes = traffic.since(start);
  // A group is one segment here, so each FETCH is a copy.
  const copied = volumes.get('FETCH')?.calls ?? 0;
  sessions.stop();
  const [first = 0, last = 0] = [planned[0], planned.at(-1)];
  if (last > 2 * first + 10) invariants.violated(`timers grew from ${first.toFixed(0)} to ${last.toFixed(0)} a node.`);
  const seconds = (hours * HOUR) / 1000;
  return {
    ...lookupFigures('lookup', meanOf(lookups.slice(-5))),
    asked: found.asked,
    found: found.found,
    away: census.away,
    lost: census.lost,
    copies: census.copies,
    copied,
    /** Bits a second that each node sends for copies, with groups of the nominal size. */
    repairRate: (copied * NOMINAL_GROUP * 8) / nodes / seconds,
    otherBytes: sumVolumes(volumes).bytes / nodes / seconds,
    timersFirst: first,
    timersLast: last,
    ...sessions.counts,
  };
}
