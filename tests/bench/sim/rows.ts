/** The figures of all networks as rows, each with the bar that it is held against. */
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import type { Figures } from '../../sim/scenario.ts';
import type { BenchRow } from '../bench-row.ts';
import type { Known, RunResult } from './parts.ts';

/** MiB. */
const MEMORY_BAR = 4096;
/** Bits a second in a Mbit/s. */
const MEGA = 1e6;

/** Those of whole networks. */
export function rowsOf(results: readonly RunResult[]): readonly BenchRow[] {
  return results.flatMap((result) => [
    ...partRows(result),
    row(
      result,
      `${result.run}: links of a tab, the most at any moment`,
      result.outcome.mostLinks,
      'links',
      atMost(DEFAULT_SETTINGS.budget),
    ),
    row(result, `${result.run}: memory of the whole simulator`, result.rss / 2 ** 20, 'MiB', atMost(MEMORY_BAR)),
  ]);
}

/** Those of the parts that are known, without what only a whole network has. */
export function partRows(known: Known): readonly BenchRow[] {
  const { figures } = known;
  const rows: BenchRow[] = [];
  if (figures.join && known.run === 'still') rows.push(...joinRows(known, figures.join));
  if (figures.lookup) rows.push(...lookupRows(known, figures.lookup));
  if (figures.idle) rows.push(...idleRows(known, figures.idle));
  if (figures.vanish) rows.push(...vanishRows(known, figures.vanish, 0.3));
  if (figures['vanish-half']) rows.push(...vanishRows(known, figures['vanish-half'], 0.5));
  if (figures.lossy) rows.push(...lossyRows(known, figures.lossy));
  if (figures.churn) rows.push(...churnRows(known, figures.churn));
  if (figures.day) rows.push(...dayRows(known, figures.day));
  return rows;
}

interface Bar {
  readonly text: string;
  readonly holds: (value: number) => boolean;
}

function atMost(most: number): Bar {
  return { text: `≤ ${most}`, holds: (value) => value <= most };
}

function atLeast(least: number): Bar {
  return { text: `≥ ${least}`, holds: (value) => value >= least };
}

function row({ nodes }: Known, what: string, value: number, unit: string, bar: Bar | null = null, beside: string | null = null): BenchRow {
  return {
    what: `n = ${nodes}: ${what}`,
    value,
    unit,
    bar: bar?.text ?? null,
    ok: bar ? bar.holds(value) : null,
    n: 1,
    min: value,
    max: value,
    beside,
  };
}

function joinRows(result: Known, join: Figures): BenchRow[] {
  const { lookup } = result.figures;
  const seconds = (at(join, 'wall') + (lookup ? at(lookup, 'wall') : 0)) / 1000;
  const lookups = lookup ? Math.max(1000, result.nodes) : 0;
  return [
    row(
      result,
      lookups > 0 ? `join, and ${lookups} lookups` : 'join',
      seconds,
      's',
      atMost(300),
      `joining alone ${(at(join, 'wall') / 1000).toFixed(0)} s, of the processor ${(at(join, 'processor') / 1000).toFixed(0)} s`,
    ),
    row(result, 'virtual time until the last newcomer has a link', at(join, 'waited') / 1000, 's'),
    row(result, 'messages to join, all nodes', at(join, 'messages'), 'messages', null, `${(at(join, 'bytes') / 1000).toFixed(0)} kB`),
  ];
}

function lookupRows(result: Known, lookup: Figures): BenchRow[] {
  const trip = at(lookup, 'meanRoundTrip');
  const trips = (name: string): number => at(lookup, name) / trip;
  const unit = 'round trips';
  return [
    row(
      result,
      'lookup time, median',
      trips('recursiveMedian'),
      unit,
      atMost(2),
      `iterative ${trips('iterativeMedian').toFixed(2)}; one is ${trip.toFixed(0)} ms`,
    ),
    row(result, 'lookup time, p95', trips('recursiveP95'), unit, atMost(3.5), `iterative ${trips('iterativeP95').toFixed(2)}`),
    row(
      result,
      'true nearest 20 found, static',
      percent(at(lookup, 'recursiveExact')),
      '%',
      atLeast(99.9),
      `iterative ${share(lookup, 'iterativeExact')}`,
    ),
    row(
      result,
      'lookups with all 20 right, static',
      percent(at(lookup, 'recursiveWhole')),
      '%',
      null,
      `iterative ${share(lookup, 'iterativeWhole')}`,
    ),
    row(
      result,
      'messages for a lookup, all nodes',
      at(lookup, 'recursiveMessages'),
      'messages',
      atMost(16),
      `iterative ${at(lookup, 'iterativeMessages').toFixed(1)}`,
    ),
  ];
}

function idleRows(result: Known, idle: Figures): BenchRow[] {
  const own = new Set(['links', 'connections', 'joinConnections', 'heartbeats', 'maintenance', 'total']);
  const kinds = Object.entries(idle).filter(([kind]) => !own.has(kind));
  const spent = kinds.map(([kind, rate]) => `${kind} ${rate.toFixed(1)}`).join(', ');
  return [
    row(result, 'traffic of an idle node, in and out', at(idle, 'total'), 'bytes/s', atMost(200)),
    row(result, 'of it heartbeats (computed)', at(idle, 'heartbeats'), 'bytes/s', null, `${at(idle, 'links').toFixed(1)} links`),
    row(result, 'of it all else', at(idle, 'maintenance'), 'bytes/s', null, spent),
    row(
      result,
      'connections begun by a node in an idle hour',
      at(idle, 'connections'),
      '',
      null,
      `${at(idle, 'joinConnections').toFixed(0)} before`,
    ),
  ];
}

function vanishRows(result: Known, figures: Figures, gone: number): BenchRow[] {
  const asked = { values: at(figures, 'valuesAsked'), groups: at(figures, 'groupsAsked') };
  const what = `${percent(gone)}% vanish:`;
  // As in the issue: what r copies would give if each were lost by itself. The publisher's own copy comes on top.
  const bar = Math.floor(10 * percent(1 - gone ** DEFAULT_SETTINGS.copies)) / 10;
  const held = `held by somebody who is there ${percent(at(figures, 'groupsHeldAtOnce') / asked.groups).toFixed(2)}`;
  return [
    row(
      result,
      `${what} values found right after`,
      percent(at(figures, 'valuesAtOnce') / asked.values),
      '%',
      atLeast(gone <= 0.3 ? 100 : 99.9),
      `of ${asked.values}`,
    ),
    row(result, `${what} groups found right after`, percent(at(figures, 'groupsAtOnce') / asked.groups), '%', atLeast(bar), held),
    row(
      result,
      `${what} groups found a minute after 70% came back`,
      percent(at(figures, 'groupsLater') / asked.groups),
      '%',
      atLeast(100),
      `${at(figures, 'copiesLater').toFixed(1)} copies`,
    ),
  ];
}

function lossyRows(result: Known, figures: Figures): BenchRow[] {
  return [
    row(
      result,
      '1% loss, NATs: true nearest 20 found',
      percent(at(figures, 'lookupExact')),
      '%',
      null,
      `median ${at(figures, 'lookupMedian').toFixed(0)} ms, p95 ${at(figures, 'lookupP95').toFixed(0)} ms`,
    ),
    row(result, '1% loss, NATs: values found', percent(at(figures, 'valuesFound') / at(figures, 'valuesAsked')), '%'),
  ];
}

function churnRows(result: Known, figures: Figures): BenchRow[] {
  const trip = at(figures, 'meanRoundTrip');
  const median = `median ${(at(figures, 'lookupMedian') / trip).toFixed(2)}, p95 ${(at(figures, 'lookupP95') / trip).toFixed(2)} round trips`;
  return [
    row(result, 'true nearest 20 found, 30-minute sessions', percent(at(figures, 'lookupExact')), '%', atLeast(97), median),
    row(result, 'lookups with all 20 right, 30-minute sessions', percent(at(figures, 'lookupWhole')), '%'),
    row(
      result,
      'values found, 30-minute sessions',
      percent(at(figures, 'valuesFound') / at(figures, 'valuesAsked')),
      '%',
      null,
      `${at(figures, 'valuesBroken')} not found though kept all the time`,
    ),
    row(result, 'maintenance with 30-minute sessions', at(figures, 'rate'), 'bytes/s', null, 'in and out, heartbeats not counted'),
  ];
}

function dayRows(result: Known, figures: Figures): BenchRow[] {
  const what = `${Number(at(figures, 'hours').toFixed(1))} h, 30-minute sessions, ${at(figures, 'asked')} groups:`;
  return [
    row(
      result,
      `${what} lost`,
      at(figures, 'lost'),
      'groups',
      atMost(0),
      `${at(figures, 'away')} held by nobody who is there; ${at(figures, 'copies').toFixed(1)} copies of each`,
    ),
    row(result, `${what} found at the end`, percent(at(figures, 'found') / at(figures, 'asked')), '%'),
    row(
      result,
      `${what} repair traffic of a node`,
      at(figures, 'repairRate') / MEGA,
      'Mbit/s',
      atMost(1),
      `${at(figures, 'copied')} copies of 10 MB`,
    ),
    row(result, `${what} connections begun by a node`, at(figures, 'connections'), 'an hour'),
    row(result, `${what} all other traffic of a node`, at(figures, 'otherRate'), 'bytes/s', null, 'in and out, heartbeats not counted'),
    row(
      result,
      `${what} timers of a node at the end`,
      at(figures, 'timersLast'),
      'timers',
      null,
      `after an hour ${at(figures, 'timersFirst').toFixed(1)}`,
    ),
    row(
      result,
      `${what} heap at the end`,
      at(figures, 'heapLast'),
      'MiB',
      null,
      `after an hour ${at(figures, 'heapFirst').toFixed(0)} MiB`,
    ),
  ];
}

/** A figure that must be there. */
function at(figures: Figures, name: string): number {
  const value = figures[name];
  if (value === undefined) throw new Error(`There is no figure “${name}”.`);
  return value;
}

function percent(part: number): number {
  return 100 * part;
}

function share(figures: Figures, name: string): string {
  return `${percent(at(figures, name)).toFixed(1)}%`;
}
