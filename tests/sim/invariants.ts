/** What must hold at every moment of a run, whatever happens in it. A violation ends the run, with the seed and the virtual time. */
import { LIMITS } from '../../src/base/limits.ts';
import { DEFAULT_SETTINGS } from '../../src/node/settings.ts';
import { decodeFrame } from '../../src/wire/codec.ts';
import { EPOCH } from './scheduler.ts';
import type { SimNode, World } from './world.ts';

export interface Invariants {
  /** Violations of a scenario's own: ends the run. */
  violated(what: string): void;
  /** The most links that a tab has had, and the most planned events for each node that is up. */
  readonly most: { readonly links: number; readonly events: number };
  close(): void;
}

export interface InvariantsOptions {
  readonly world: World;
  readonly seed: number;
  /** Links of a tab at most. */
  readonly budget?: number;
  /** Planned events for each node that is up, at most: a timer for each link with calls under way, and a dozen more. */
  readonly events?: number;
}

/** Between two looks at how many events are planned, virtual ms. */
const LOOK = 60_000;
/** Bytes around the body of a call, also of one inside a RELAY. */
const ENVELOPE = 1024;

export function watchInvariants({ world, seed, budget = DEFAULT_SETTINGS.budget, events = 100 }: InvariantsOptions): Invariants {
  const { scheduler, network } = world;
  const most = { links: 0, events: 0 };
  let closed = false;

  const violated = (what: string): void => {
    const seconds = ((scheduler.time() - EPOCH) / 1000).toFixed(3);
    scheduler.fail(new Error(`Seed ${seed}, after ${seconds} virtual seconds: ${what}`));
  };

  const watchLinks = (simNode: SimNode): void => {
    if (simNode.open !== null) return;
    const { node } = simNode;
    node.onLinks(() => {
      const links = node.links().length;
      most.links = Math.max(most.links, links);
      if (links > budget) violated(`a tab has ${links} links, and its budget is ${budget}.`);
    });
  };
  world.onChange((simNode) => {
    if (simNode.up) watchLinks(simNode);
  });
  for (const simNode of world.nodes) watchLinks(simNode);

  network.watch((_end, message) => {
    if (message.length > LIMITS.message) violated(`a message has ${message.length} bytes.`);
    if (message.length <= LIMITS.relayed + ENVELOPE) return;
    // Only bulk bytes are larger than what others would carry.
    const frame = decodeFrame(message);
    if (!frame) violated(`a message of ${message.length} bytes is malformed.`);
    else if (frame.type !== 'data') violated(`a ${frame.type} has ${message.length} bytes.`);
  });

  const look = (): void => {
    if (closed) return;
    const up = world.nodes.filter((one) => one.up).length;
    const planned = scheduler.pending / Math.max(1, up);
    most.events = Math.max(most.events, planned);
    if (planned > events) violated(`${scheduler.pending} events are planned for ${up} nodes.`);
    scheduler.clock.after(LOOK, look);
  };
  scheduler.clock.after(LOOK, look);

  const onRejection = (reason: unknown): void =>
    violated(`a promise was rejected and nobody handles it: ${reason instanceof Error ? reason.stack : reason}`);
  process.on('unhandledRejection', onRejection);
  return {
    violated,
    most,
    close() {
      closed = true;
      process.off('unhandledRejection', onRejection);
    },
  };
}
