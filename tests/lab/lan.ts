/** Two people in one home: they meet on the LAN, as no router of the lab sends back what comes from inside. */
import { quantile } from './figures.ts';
import { evenLink } from './link.ts';
import { meet } from './meeting.ts';
import { SERVERS } from './network.ts';
import type { LabRow } from './row.ts';
import { STUN, startOpenNode } from './servers.ts';
import { countTraffic, readTraffic } from './traffic.ts';
import { inWorld } from './world.ts';

/** Each meeting is alike: few tell as much as many. */
const MOST_TRIES = 5;
/** What ICE tries over the public side is less than this (bytes); a link that went there would say more with its handshake alone. */
const MOST_OUTSIDE = 1_000;

/** Rows for two machines of a home and for two tabs of one machine, with STUN and without any server for ICE. */
export function runLan({ tries, delay, say }: { tries: number; delay: number; say: (line: string) => void }): Promise<LabRow[]> {
  return inWorld(async (world) => {
    const { network } = world;
    await countTraffic(network);
    await world.serve(startOpenNode({ network, address: SERVERS.openNode }));
    const home = await network.addHome({ nat: 'port-restricted', link: evenLink({ delay, rate: 50, queue: 500 }), hosts: 2 });
    const [first, second] = await Promise.all(home.hosts.map((host) => world.browse(host)));
    if (!first || !second) throw new Error('The home lacks a machine.');
    const rows: LabRow[] = [];
    const cases = [
      { what: 'two machines of one home', browsers: [first, second], iceServers: [STUN] },
      { what: 'two machines of one home, no STUN', browsers: [first, second], iceServers: [] },
      { what: 'two tabs of one machine', browsers: [first, first], iceServers: [STUN] },
    ] as const;
    for (const { what, browsers, iceServers } of cases) {
      const times: number[] = [];
      const count = Math.min(tries, MOST_TRIES);
      let firstTry = 0;
      const before = (await readTraffic(network)).direct;
      for (let i = 0; i < count; i++) {
        const meeting = await meet(browsers, iceServers);
        say(`${what} ${i + 1}/${count}: ${JSON.stringify(meeting)}`);
        if (meeting.time !== null) times.push(meeting.time);
        if (meeting.firstTry && !meeting.relayed) firstTry++;
      }
      const outside = (await readTraffic(network)).direct - before;
      rows.push({
        part: 'lan',
        what,
        got: `direct on the first try ${firstTry}/${count}, ${Math.round(quantile(times, 0.5))} ms; ${outside} B went outside`,
        must: 'direct on the LAN, each time',
        ok: firstTry === count && outside <= MOST_OUTSIDE * count,
        figures: { tries: count, firstTry, median: quantile(times, 0.5), outside },
      });
    }
    return rows;
  });
}
