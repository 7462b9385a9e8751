/** One change of the network's settings, as a person makes it on the page. Pure. */
import { assertNever } from '../base/errors.ts';
import type { IceServer, NetworkSettings } from './api.ts';
import type { NetworkPart } from './state.ts';

/** An address is added as it was typed, and removed as it is shown. */
export type NetworkChange =
  | { readonly type: 'add-open-node'; readonly url: string }
  | { readonly type: 'remove-open-node'; readonly url: string }
  | { readonly type: 'add-ice-server'; readonly server: IceServer }
  | { readonly type: 'remove-ice-server'; readonly urls: string };

/** The settings after it, not checked. */
export function applyChange(settings: NetworkSettings, change: NetworkChange): NetworkSettings {
  const { openNodes, iceServers } = settings;
  switch (change.type) {
    case 'add-open-node':
      return { openNodes: [...openNodes, change.url], iceServers };
    case 'remove-open-node':
      return { openNodes: openNodes.filter((url) => url !== change.url), iceServers };
    case 'add-ice-server':
      return { openNodes, iceServers: [...iceServers, change.server] };
    case 'remove-ice-server':
      return { openNodes, iceServers: iceServers.filter(({ urls }) => urls !== change.urls) };
    default:
      return assertNever(change);
  }
}

/** The list that it changes. */
export function partOf({ type }: NetworkChange): NetworkPart {
  return type === 'add-open-node' || type === 'remove-open-node' ? 'open-nodes' : 'ice-servers';
}
