/** A whole day of tabs that open and close, and of groups of media that must not be lost. */
import type { Figures, Scenario, Stage } from '../scenario.ts';
import { createSessions } from '../sessions.ts';
import { createGroups, NOMINAL_GROUP, SEGMENT_BYTES } from '../workload/groups.ts';
import { type LookupFigures, meanOf, measureLookups } from '../workload/lookups.ts';
import { countServed } from '../workload/serving.ts';
import { lookupFigures, tellGroups, tellLookups } from './telling.ts';

const HOUR = 3_600_000;
const LOOKUPS = 20;
/** Timers for each node that are no growth. */
const TIMERS_SPREAD = 10;

export interface DayOptions {
  readonly hours: number;
  /** Videos of one group each. */
  readonly videos: number;
}

export function day(options: DayOptions = { hours: 24, videos: 100 }): Scenario {
  return {
    name: 'day',
    about: `${options.hours} hours of sessions with a median of 30 minutes; ${options.videos} videos are published first, and nobody helps`,
    play: (stage) => playDay(stage, options),
  };
}

async function playDay(stage: Stage, { hours, videos }: DayOptions): Promise<Figures> {
  const { world, random, nodes, timeline, tell, truth, invariants } = stage;
  const { scheduler, network } = world;
  const groups = createGroups(world, random);
  tell(`${videos} groups published, ${(await groups.publish(videos)).toFixed(1)} copies each besides the publisher's`);
  const sessions = createSessions({ world, random, population: nodes, onChange: timeline.note });
  const served = countServed(world);
  const [bytesBefore, punchesBefore, start] = [network.bytes, network.punches, scheduler.time()];
  // A group is one segment here, so that many were copied.
  const copiesMade = (): number => served.total() / SEGMENT_BYTES;
  const timers: number[] = [];
  const heaps: number[] = [];
  const lookups: LookupFigures[] = [];
  for (let hour = 1; hour - 1 < hours; hour++) {
    await scheduler.advance(HOUR * Math.min(1, hours - hour + 1));
    const census = await groups.census();
    lookups.push(await measureLookups({ world, truth, random, count: LOOKUPS }));
    timers.push(scheduler.pending / world.nodes.filter((one) => one.up).length);
    heaps.push(process.memoryUsage().heapUsed / 2 ** 20);
    tell(
      `hour ${hour}: ${census.copies.toFixed(1)} copies there of each, ${census.away} away, ${census.lost} lost; ${copiesMade().toFixed(0)} copies made; ${timers.at(-1)?.toFixed(0)} timers a node, heap ${heaps.at(-1)?.toFixed(0)} MiB`,
    );
  }
  const [census, found] = [await groups.census(), await groups.probe()];
  tellGroups(tell, found, census);
  sessions.stop();
  const all = meanOf(lookups);
  tellLookups(tell, 'over the day', all);
  const seconds = (scheduler.time() - start) / 1000;
  const copied = copiesMade();
  const [first = 0, last = 0] = [timers[0], timers.at(-1)];
  if (last > first + TIMERS_SPREAD) invariants.violated(`timers grew from ${first.toFixed(0)} to ${last.toFixed(0)} a node.`);
  return {
    ...lookupFigures('lookup', all),
    hours,
    asked: found.asked,
    found: found.found,
    away: census.away,
    lost: census.lost,
    copies: census.copies,
    copied,
    // Bits a second that each node sends to make copies, with groups of the nominal size.
    repairRate: (copied * NOMINAL_GROUP * 8) / nodes / seconds,
    // Bytes a second that each node sends and receives of all else.
    otherRate: (2 * (network.bytes - bytesBefore - served.total())) / nodes / seconds,
    // RTCPeerConnections that each node begins in an hour: there are as many at any time as at the start.
    connections: (network.punches - punchesBefore) / nodes / (seconds / 3_600),
    timersFirst: first,
    timersLast: last,
    heapFirst: heaps[0] ?? 0,
    heapLast: heaps.at(-1) ?? 0,
    ...sessions.counts,
  };
}
