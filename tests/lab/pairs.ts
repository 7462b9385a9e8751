/** Every pair of NATs: two homes, a fresh browser in each, and how they link up. */

import type { IceServer } from '../../src/app/api.ts';
import { quantile } from './figures.ts';
import { evenLink } from './link.ts';
import { type Meeting, meet } from './meeting.ts';
import { NAT_KINDS, type NatKind } from './nat.ts';
import type { Home } from './network.ts';
import { SERVERS } from './network.ts';
import type { LabRow } from './row.ts';
import { STUN, startOpenNode, startRelay, TURN } from './servers.ts';
import { inWorld, type World } from './world.ts';

/** Of 20 tries, 19 must do it the first time. */
const FIRST_TRIES = 0.95;
/** Mbit/s and kB of a home's link: enough that the site loads soon; these messages are small. */
const LINE = { rate: 50, queue: 500 };
/** How often a pair that can't link is watched not to: each costs the node's whole patience. */
const MOST_FAILURES = 3;

/** Which pairs meet, and how. */
export interface PairsOptions {
  readonly tries: number;
  /** One way from a home to the public network (ms). */
  readonly delay: number;
  readonly pairs: readonly (readonly [NatKind, NatKind])[];
  readonly say: (line: string) => void;
}

/** All ten of them. */
export const ALL_PAIRS = NAT_KINDS.flatMap((a, i) => NAT_KINDS.slice(i).map((b) => [a, b] as const));

/** Whether a way through both exists: an outside port that changes with the destination can't be told to a filter that looks at ports. */
export function canLink(a: NatKind, b: NatKind): boolean {
  const strict = (kind: NatKind): boolean => kind === 'symmetric' || kind === 'port-restricted';
  return !((a === 'symmetric' && strict(b)) || (b === 'symmetric' && strict(a)));
}

/** A row for each pair, and one more with TURN for those that have no direct way. */
export function runPairs(options: PairsOptions): Promise<LabRow[]> {
  return inWorld(async (world) => {
    await world.serve(startOpenNode({ network: world.network, address: SERVERS.openNode }));
    await world.serve(startRelay(world.network));
    const link = evenLink({ ...LINE, delay: options.delay });
    const homes: { kind: NatKind; first: Home; second: Home }[] = [];
    for (const kind of new Set(options.pairs.flat())) {
      const [first, second] = [await world.network.addHome({ nat: kind, link }), await world.network.addHome({ nat: kind, link })];
      homes.push({ kind, first, second });
    }
    const rows: LabRow[] = [];
    for (const [a, b] of options.pairs) {
      const pair = { a: homes.find(({ kind }) => kind === a)?.first as Home, b: homes.find(({ kind }) => kind === b)?.second as Home };
      if (canLink(a, b)) {
        rows.push(directRow(pair, await meetings(world, { ...pair, tries: options.tries, iceServers: [STUN], say: options.say }), options));
      } else {
        const few = Math.min(options.tries, MOST_FAILURES);
        rows.push(
          turnRow(pair, await meetings(world, { ...pair, tries: options.tries, iceServers: [STUN, TURN], say: options.say }), options),
          noWayRow(pair, await meetings(world, { ...pair, tries: few, iceServers: [STUN], say: options.say })),
        );
      }
    }
    return rows;
  });
}

interface Pair {
  readonly a: Home;
  readonly b: Home;
}

async function meetings(
  world: World,
  { a, b, tries, iceServers, say }: Pair & { tries: number; iceServers: readonly IceServer[]; say: (line: string) => void },
): Promise<Meeting[]> {
  const browsers = await Promise.all([world.browse(a.hosts[0] as string), world.browse(b.hosts[0] as string)]);
  const all: Meeting[] = [];
  try {
    for (let i = 0; i < tries; i++) {
      const meeting = await meet(browsers, iceServers);
      all.push(meeting);
      say(`${nameOf({ a, b })} ${i + 1}/${tries}: ${JSON.stringify(meeting)}`);
    }
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
  }
  return all;
}

function directRow(pair: Pair, all: readonly Meeting[], { delay }: PairsOptions): LabRow {
  const good = all.filter(({ linked, relayed, firstTry }) => linked && !relayed && firstTry).length;
  const needed = leastOf(all);
  return row(pair, all, { kind: 'direct', delay, must: `direct, first try ≥ ${needed} of ${all.length}`, ok: good >= needed });
}

function turnRow(pair: Pair, all: readonly Meeting[], { delay }: PairsOptions): LabRow {
  const good = all.filter(({ linked, relayed }) => linked && relayed).length;
  const needed = leastOf(all);
  return row(pair, all, { kind: 'TURN', delay, must: `by TURN ≥ ${needed} of ${all.length}`, ok: good >= needed });
}

function noWayRow(pair: Pair, all: readonly Meeting[]): LabRow {
  const introduced = all.filter((one) => one.introduced && !one.linked).length;
  return {
    part: 'pairs',
    what: `${nameOf(pair)}, without TURN`,
    got: `no link ${all.filter(({ linked }) => !linked).length}/${all.length}; small messages relayed both ways ${introduced}/${all.length}`,
    must: 'small messages relayed',
    ok: introduced === all.length,
  };
}

function row(
  pair: Pair,
  all: readonly Meeting[],
  { kind, delay, must, ok }: { kind: string; delay: number; must: string; ok: boolean },
): LabRow {
  const roundTrip = 4 * delay; // up and down again, at both homes
  const count = (test: (meeting: Meeting) => boolean): number => all.filter(test).length;
  const times = all.flatMap(({ time }) => time ?? []);
  const openings = all.flatMap(({ opening }) => opening ?? []);
  const figures = {
    kind,
    a: pair.a.nat,
    b: pair.b.nat,
    tries: all.length,
    linked: count(({ linked }) => linked),
    direct: count(({ linked, relayed }) => linked && !relayed),
    relayed: count(({ relayed }) => relayed),
    firstTry: count(({ firstTry }) => firstTry),
    median: quantile(times, 0.5),
    p95: quantile(times, 0.95),
    opening: quantile(openings, 0.5),
    roundTrip,
  };
  const ms = (value: number): string => `${Math.round(value)} ms (${(value / roundTrip).toFixed(1)} rt)`;
  const links = kind === 'TURN' ? `by TURN ${figures.relayed}/${all.length}` : `direct ${figures.direct}/${all.length}`;
  return {
    part: 'pairs',
    what: `${nameOf(pair)}${kind === 'TURN' ? ', with TURN' : ''}`,
    got: `${links}, first try ${figures.firstTry}/${all.length}, ${ms(figures.median)}, p95 ${ms(figures.p95)}, offer to open channel ${ms(figures.opening)}`,
    must,
    ok,
    figures,
  };
}

function leastOf(all: readonly Meeting[]): number {
  return Math.max(1, Math.floor(FIRST_TRIES * all.length));
}

function nameOf({ a, b }: Pair): string {
  return `${a.nat} – ${b.nat}`;
}
