/** What the page about the network asks of the world: a part of the effects. */
import type { Kadreel } from './api.ts';
import type { Event } from './events.ts';
import { applyChange, type NetworkChange, partOf } from './network-change.ts';
import { problemOf } from './problems.ts';

export interface NetworkEffects {
  /** Tells `network-seen` at once, and then each time, until the signal fires. */
  watch(signal: AbortSignal): Promise<void>;
  change(change: NetworkChange, signal: AbortSignal): Promise<void>;
  changeHelp(change: (help: Kadreel['help']) => Promise<void>, signal: AbortSignal): Promise<void>;
}

export interface NetworkEffectsOptions {
  readonly kadreel: Promise<Kadreel>;
  /** Dispatches unless the signal has fired. */
  readonly tell: (signal: AbortSignal, event: Event) => void;
  readonly every: (signal: AbortSignal, ms: number, run: () => void) => void;
}

/** How often the page looks. Milliseconds: a link that was asked for is seen to come. */
const LOOK_EVERY = 1_000;

export function createNetworkEffects({ kadreel, tell, every }: NetworkEffectsOptions): NetworkEffects {
  return {
    async watch(signal) {
      const page = await kadreel.catch(() => null);
      if (!page) return; // `follow-world` tells why there is no node.
      const look = (): void => tell(signal, { type: 'network-seen', view: page.networkView() });
      look();
      every(signal, LOOK_EVERY, look);
    },
    async changeHelp(change, signal) {
      try {
        const page = await kadreel;
        await change(page.help);
        tell(signal, { type: 'help-changed', view: page.networkView() });
      } catch (error) {
        tell(signal, { type: 'network-change-failed', part: 'help', problem: problemOf(error, 'changing') });
      }
    },
    async change(change, signal) {
      try {
        const page = await kadreel;
        await page.network.change(applyChange(page.network.settings(), change));
        tell(signal, { type: 'network-changed', view: page.networkView() });
      } catch (error) {
        tell(signal, { type: 'network-change-failed', part: partOf(change), problem: problemOf(error, 'changing') });
      }
    },
  };
}
