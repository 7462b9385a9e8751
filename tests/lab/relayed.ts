/** Two homes between which there is no direct way, and no TURN: the one watches what the other has published, from a third that keeps it. */
import { fixture } from '../fixtures/make.ts';
import { evenLink } from './link.ts';
import { SERVERS } from './network.ts';
import { arrive } from './person.ts';
import type { LabRow } from './row.ts';
import { startOpenNode } from './servers.ts';
import { countTraffic, readTraffic } from './traffic.ts';
import { inWorld } from './world.ts';

/** A video server would have to send megabytes; what is said about a video is less than this (bytes). */
const MOST_SAID = 100_000;

/** One row. `delay`: one way from a home to the public network (ms). */
export function runRelayed({ delay }: { delay: number }): Promise<LabRow[]> {
  return inWorld(async (world) => {
    const { network } = world;
    await countTraffic(network);
    await world.serve(startOpenNode({ network, address: SERVERS.openNode }));
    const link = evenLink({ delay, rate: 50, queue: 500 });
    const publisher = await arrive(world, await network.addHome({ nat: 'symmetric', link }));
    const holder = await arrive(world, await network.addHome({ nat: 'full-cone', link }));
    await publisher.tab.untilLinked(holder.tab.id);
    const video = await publisher.tab.publish(await fixture('barcode.mp4'), 'Behind two NATs');
    const copies = await video.copies();

    const viewer = await arrive(world, await network.addHome({ nat: 'symmetric', link }));
    const before = (await readTraffic(network)).server({ home: viewer.home.address });
    await viewer.tab.watch(video.watchUrl);
    await viewer.tab.untilMoving();
    await viewer.tab.seek(30);
    const said = (await readTraffic(network)).server({ home: viewer.home.address, protocol: 'tcp' }) - before;
    const { received, linked } = await viewer.tab.stats();
    const apart = !linked.includes(publisher.tab.id);
    return [
      {
        part: 'relayed',
        what: 'symmetric publishes, symmetric watches, no TURN; a full cone keeps a copy',
        got: `${apart ? 'not linked' : 'linked'}; ${copies.stored} copy; plays with ${received.tabs} B from tabs, ${received.openNodes} B from open nodes, ${said} B said to servers`,
        must: 'plays from the holder, nothing from servers',
        ok: apart && received.tabs > 0 && received.openNodes === 0 && said < MOST_SAID,
        figures: { stored: copies.stored, tabs: received.tabs, openNodes: received.openNodes, said },
      },
    ];
  });
}
