/** How the node is doing, for the line at the top of the page. */
import type { Cancel, Clock } from '../base/ports.ts';
import type { DhtNode } from '../node/dht-node.ts';
import type { NodeHealth, NodePhase } from './api.ts';

export interface HealthMonitor {
  /** Called at once and at each change. */
  listen(listener: (health: NodeHealth) => void): Cancel;
  close(): void;
}

/** How often what has no event of its own (bytes kept and served) is looked at, ms. */
const INTERVAL = 3_000;
/** Links come in bursts: listeners are told at most this often, ms. */
const SETTLE = 200;
/** Without a link for this long the tab is alone, and says so, ms. */
const PATIENCE = 8_000;

/** What is looked at of a node. */
export type HealthyNode = Pick<DhtNode, 'contact' | 'links' | 'onLinks' | 'stats'> & { readonly groups: Pick<DhtNode['groups'], 'usage'> };

export function createHealthMonitor(options: { node: HealthyNode; clock: Clock; quota: number }): HealthMonitor {
  const { node, clock, quota } = options;
  const listeners = new Set<(health: NodeHealth) => void>();
  const since = clock.now();
  let wasLinked = false;
  let bytes = 0;
  let cancel: Cancel = () => undefined;
  let cancelTelling: Cancel | null = null;
  let latest = '';

  const read = (): NodeHealth => {
    const links = node.links();
    const openNodes = links.flatMap((link) => link.contact.open ?? []);
    const tabs = links.length - openNodes.length;
    if (links.length > 0) wasLinked = true;
    const phase = phaseOf({ tabs, openNodes: openNodes.length, waited: wasLinked || clock.now() - since > PATIENCE });
    return {
      phase,
      id: node.contact.id,
      links: { tabs, openNodes: openNodes.length },
      openNodes,
      kept: { bytes, quota },
      served: node.stats().served,
      problem: PROBLEMS[phase] ?? null,
    };
  };

  const tell = (): void => {
    const health = read();
    const text = JSON.stringify(health);
    if (text === latest) return;
    latest = text;
    for (const listener of [...listeners]) listener(health);
  };

  const look = async (): Promise<void> => {
    // A disk that does not answer now is asked again; what is shown meanwhile is what it last said.
    await node.groups.usage().then(
      (usage) => {
        bytes = usage.bytes;
      },
      () => undefined,
    );
    tell();
  };
  const repeat = (): void => {
    void look();
    cancel = clock.after(INTERVAL, repeat);
  };
  const unlisten = node.onLinks(() => {
    cancelTelling ??= clock.after(SETTLE, () => {
      cancelTelling = null;
      tell();
    });
  });
  repeat();

  return {
    listen(listener) {
      listeners.add(listener);
      listener(read());
      return () => listeners.delete(listener);
    },
    close() {
      cancel();
      cancelTelling?.();
      unlisten();
      listeners.clear();
    },
  };
}

function phaseOf(at: { tabs: number; openNodes: number; waited: boolean }): NodePhase {
  if (at.openNodes > 0) return 'online';
  if (at.tabs > 0) return 'peers-only';
  return at.waited ? 'alone' : 'joining';
}

const PROBLEMS: Partial<Record<NodePhase, string>> = {
  alone:
    'No other node can be reached. Videos on this disk still play. This tab goes on trying; check that you are online, or let somebody who is linked invite you.',
  'peers-only':
    'No open node can be reached now. What is linked goes on working; newcomers can’t find this tab by an open node: invite them.',
};
