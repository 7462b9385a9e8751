/** Nobody does anything: what the network costs by itself. */

import { encode } from '../../../src/base/schema.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { encodeFrame } from '../../../src/wire/codec.ts';
import { CALLS } from '../../../src/wire/messages.ts';
import { mean } from '../figures.ts';
import type { Figures, Scenario } from '../scenario.ts';
import { createTraffic, type Volumes } from '../traffic.ts';

/** What is said, and answered, on a WebSocket that has grown quiet. */
const QUIET = encode(CALLS.QUIET.request, { gap: DEFAULT_SETTINGS.socketHeartbeatMost });
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** For what joining left to do. */
const SETTLING = 10 * MINUTE;
/** As long as the longest pause between two rounds of any work. */
const WATCHED = 60 * MINUTE;

export const idle: Scenario = {
  name: 'idle',
  about: 'nobody does anything for an hour: what the network costs by itself, and for what',
  async play({ world, nodes, tell }) {
    await world.scheduler.advance(SETTLING);
    const traffic = createTraffic(world);
    const punches = world.network.punches;
    await world.scheduler.advance(WATCHED);
    const rates = ratesOf(traffic.total(), nodes);
    const connections = (world.network.punches - punches) / nodes / (WATCHED / HOUR);
    const links = mean(world.tabs().map(({ node }) => node.links().length));
    const sockets = mean(world.tabs().map(({ node }) => node.stats().links.openNodes));
    // Heartbeats are off in the simulator: each link would carry one of these in each direction.
    const { heartbeat, socketHeartbeatMost } = DEFAULT_SETTINGS;
    const heartbeats =
      2 * encodeFrame({ type: 'alive' }).length * ((links - sockets) / (heartbeat / 1000)) +
      2 *
        encodeFrame({ type: 'request', id: 1, method: CALLS.QUIET.method, body: QUIET }).length *
        (sockets / (socketHeartbeatMost / 1000));
    for (const [kind, rate] of Object.entries(rates)) tell(`${kind.padEnd(20)} ${rate.toFixed(2)} bytes a second`);
    tell(`${'alive'.padEnd(20)} ${heartbeats.toFixed(2)} bytes a second on ${links.toFixed(1)} links (computed)`);
    const sum = Object.values(rates).reduce((total, rate) => total + rate, 0);
    tell(`${connections.toFixed(2)} connections begun an hour at each node, ${(punches / nodes).toFixed(0)} before`);
    return { links, connections, joinConnections: punches / nodes, heartbeats, maintenance: sum, total: sum + heartbeats, ...rates };
  },
};

/** Bytes a second that each node sends and receives, by kind, most first. */
function ratesOf(volumes: Volumes, nodes: number): Figures {
  const rates = [...volumes].map(([kind, { bytes }]): [string, number] => [kind, (2 * bytes) / nodes / (WATCHED / 1000)]);
  return Object.fromEntries(rates.sort(([, a], [, b]) => b - a));
}
