/** Whether the lab's links do what they say: delay, loss and rate, as packets feel them. */
import { quantile } from './figures.ts';
import { evenLink, type Path } from './link.ts';
import { type Home, type Network, PROBES } from './network.ts';
import type { LabRow } from './row.ts';
import { type DeviceCounts, startUdpHost, type UdpSocket } from './udp.ts';
import { inWorld } from './world.ts';

const PORT = 9000;
/** Bytes of a UDP packet beside what it carries: IPv4 and UDP headers. */
const HEADERS = 28;
/** After a flood the last packet must come by now (ms), whatever waits in the queue. */
const PATIENCE = 5_000;

/** What the links are tried with: what homes have, and what is asked of the program. */
const SLOW: Path = { delay: 50, loss: 0, rate: 20, queue: 250 };
const FAST: Path = { delay: 20, loss: 0, rate: 100, queue: 500 };
const LOSSY: Path = { delay: 10, loss: 2, rate: 0, queue: 250 };

/** Bytes in a packet of a flood. */
const SIZE = 1_400;
/** Of a flood: long against the time that its queue takes to fill. */
const FLOOD_SECONDS = 2;
const LOSS_PACKETS = 5_000;
/** Delay may be off by this many ms: a timer's grain, and the wait for a core that others use. */
const DELAY_SLACK = 5;
/** The same with a full queue, where each packet waits for many others. */
const QUEUE_SLACK = 15;
/** Share by which a rate may be off. */
const RATE_SLACK = 0.1;

/** Rows for delay, rate, queue and loss, each way. */
export function runLinks(): Promise<LabRow[]> {
  return inWorld(async ({ network }) => {
    const rows: LabRow[] = [];
    for (const path of [SLOW, FAST]) {
      const ends = await openEnds(network, path);
      rows.push(await delayRow(ends), await rateRow(ends), await queueRow(ends));
      await ends.close();
    }
    const ends = await openEnds(network, LOSSY);
    rows.push(await lossRow(ends));
    await ends.close();
    return rows;
  });
}

/** Times of one packet, ms. */
interface Arrival {
  readonly left: number;
  readonly arrived: number;
}

interface Ends {
  readonly path: Path;
  readonly home: Home;
  readonly inside: UdpSocket;
  readonly outside: UdpSocket;
  /** What left the home's machine. */
  countInside(): Promise<DeviceCounts>;
  /** What came out of the link. */
  countOutside(): Promise<DeviceCounts>;
  close(): Promise<void>;
}

async function openEnds(network: Network, path: Path): Promise<Ends> {
  const home = await network.addHome({ nat: 'open', link: evenLink(path) });
  const [near, far] = [startUdpHost(home.hosts[0] as string), startUdpHost(network.public)];
  const inside = await near.open({ address: '0.0.0.0', port: PORT });
  const outside = await far.open({ address: PROBES[0], port: PORT });
  return {
    path,
    home,
    inside,
    outside,
    countInside: () => near.count('eth0'),
    countOutside: () => far.count(home.device),
    async close() {
      await Promise.all([near.close(), far.close()]);
    },
  };
}

/** Small packets on an idle link, both ways. */
async function delayRow(ends: Ends): Promise<LabRow> {
  const up = delays(await flood(ends, 'up', { count: 100, every: 10, size: 64 }));
  const down = delays(await flood(ends, 'down', { count: 100, every: 10, size: 64 }));
  const { delay } = ends.path;
  const medians = [quantile(up, 0.5), quantile(down, 0.5)];
  return {
    part: 'links',
    what: `${inWords(ends.path)}: delay up and down`,
    got: `${medians.map((ms) => ms.toFixed(1)).join(' and ')} ms`,
    must: `${delay} to ${delay + DELAY_SLACK} ms`,
    ok: medians.every((ms) => ms >= delay && ms <= delay + DELAY_SLACK),
    figures: { delay, up: medians[0] ?? null, down: medians[1] ?? null },
  };
}

/** A fifth more than the link carries: what arrives is what it carries. */
async function rateRow(ends: Ends): Promise<LabRow> {
  const { rate: must } = ends.path;
  const whole = Math.ceil((FLOOD_SECONDS * must * 1e6) / 8 / (SIZE + HEADERS)); // packets that it can carry
  const counts = [await ends.countOutside()];
  let flooding = true;
  const flooded = flood(ends, 'up', { count: whole, every: everyAt(1.2 * must), size: SIZE }).finally(() => {
    flooding = false;
  });
  while (flooding) counts.push(await ends.countOutside());
  await flooded;
  const [start, end] = [counts[0]?.arrived ?? 0, counts.at(-1)?.arrived ?? 0];
  const within = counts.filter(({ arrived }) => arrived > start + (end - start) / 4 && arrived < end - (end - start) / 4);
  const [first, last] = [within[0], within.at(-1)]; // the queue was full
  if (!first || !last) throw new Error(`The link of ${ends.home.name} carried so little that its rate can't be told.`);
  const rate = ((last.bytes - first.bytes) * 8) / 1000 / (last.at - first.at);
  return {
    part: 'links',
    what: `${inWords(ends.path)}: rate of what arrives when more is sent`,
    got: `${rate.toFixed(1)} Mbit/s`,
    must: `${must} Mbit/s ± ${RATE_SLACK * 100}%`,
    ok: Math.abs(rate / must - 1) <= RATE_SLACK,
    figures: { rate },
  };
}

/** Half more than the link carries: the delay grows by what the queue holds, and no more. */
async function queueRow(ends: Ends): Promise<LabRow> {
  const { delay, rate, queue } = ends.path;
  const every = everyAt(1.5 * rate);
  const arrivals = await flood(ends, 'up', { count: Math.ceil((FLOOD_SECONDS * 1000) / every), every, size: SIZE });
  const longest = quantile(delays(arrivals.slice(Math.floor(arrivals.length / 2))), 0.5);
  const must = delay + (queue * 8) / rate;
  return {
    part: 'links',
    what: `${inWords(ends.path)}: delay with the queue full`,
    got: `${longest.toFixed(0)} ms`,
    must: `${must.toFixed(0)} ms ± ${QUEUE_SLACK}`,
    ok: Math.abs(longest - must) <= QUEUE_SLACK,
    figures: { longest },
  };
}

/** Enough packets that chance alone moves the share by less than what is allowed (4 standard deviations). */
async function lossRow(ends: Ends): Promise<LabRow> {
  const before = { inside: await ends.countInside(), outside: await ends.countOutside() };
  await flood(ends, 'up', { count: LOSS_PACKETS, every: 0.5, size: 200 });
  const after = { inside: await ends.countInside(), outside: await ends.countOutside() };
  const { loss } = ends.path;
  const sent = after.inside.sent - before.inside.sent;
  const got = 100 * (1 - (after.outside.arrived - before.outside.arrived) / sent);
  const slack = 400 * Math.sqrt(((loss / 100) * (1 - loss / 100)) / LOSS_PACKETS);
  return {
    part: 'links',
    what: `${inWords(ends.path)}: loss`,
    got: `${got.toFixed(2)}% of ${sent}`,
    must: `${loss}% ± ${slack.toFixed(1)}`,
    ok: Math.abs(got - loss) <= slack,
    figures: { loss: got },
  };
}

/** Milliseconds between packets of `SIZE` for so many Mbit/s. */
function everyAt(rate: number): number {
  return ((SIZE + HEADERS) * 8) / 1000 / rate;
}

let floods = 0;

/** Sends numbered packets one way, and gives those that arrived. A last one is repeated until it does: all others came before it. */
async function flood(ends: Ends, way: 'up' | 'down', what: { count: number; every: number; size: number }): Promise<Arrival[]> {
  const up = { from: ends.inside, to: ends.outside, at: { address: PROBES[0], port: PORT } };
  const down = { from: ends.outside, to: ends.inside, at: { address: ends.home.address, port: PORT } };
  const { from, to, at } = way === 'up' ? up : down;
  await from.flood(at, what);
  const end = `end ${++floods}`;
  const sending = setInterval(() => from.send(end, at), 20);
  const ended = await to.next(({ text }) => text === end, PATIENCE);
  clearInterval(sending);
  if (!ended) throw new Error(`The link of ${ends.home.name} carries nothing any more.`);
  return ended.series.map(([, left, arrived]) => ({ left, arrived }));
}

function delays(arrivals: readonly Arrival[]): number[] {
  return arrivals.map(({ left, arrived }) => arrived - left);
}

function inWords({ delay, loss, rate, queue }: Path): string {
  return [`${delay} ms`, ...(loss > 0 ? [`${loss}%`] : []), ...(rate > 0 ? [`${rate} Mbit/s`, `${queue} kB`] : [])].join(', ');
}
