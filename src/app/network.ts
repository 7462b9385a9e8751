/** The node and a person's settings brought together: what `window.kadreel.network` and the page about the network stand on. */
import type { DhtNode } from '../node/dht-node.ts';
import type { KadreelPage, NetworkView } from './api.ts';
import type { IceServers } from './ice-servers.ts';
import type { NetworkKeeper } from './network-settings.ts';

export interface Network {
  readonly api: KadreelPage['network'];
  view(): Omit<NetworkView, 'help'>;
}

export interface NetworkOptions {
  readonly node: Pick<DhtNode, 'contact' | 'links' | 'openNodes'>;
  readonly network: NetworkKeeper;
  readonly iceServers: Pick<IceServers, 'found'>;
  /** RTCPeerConnections constructed so far. */
  readonly connections: () => number;
}

export function createNetwork({ node, network, iceServers: servers, connections }: NetworkOptions): Network {
  for (const url of network.current.openNodes) node.openNodes.add(url);
  network.onChange((now, before) => {
    for (const url of before.openNodes) if (!now.openNodes.includes(url)) node.openNodes.remove(url);
    for (const url of now.openNodes) if (!before.openNodes.includes(url)) node.openNodes.add(url);
  });
  return {
    api: { settings: () => network.current, change: network.change },
    view() {
      const { openNodes, iceServers } = network.current;
      const links = node.links();
      const linked = links.flatMap((link) => link.contact.open ?? []);
      return {
        tabs: links.length - linked.length,
        openNodes: [
          ...openNodes.map((url) => ({ url, linked: node.openNodes.reaches(url), added: true })),
          ...linked.filter((url) => !openNodes.includes(url)).map((url) => ({ url, linked: true, added: false })),
        ],
        iceServers: iceServers.map(({ urls, username = null }) => ({ urls, username })),
        stunFound: servers.found(),
        nat: node.contact.nat,
        connections: connections(),
      };
    },
  };
}
