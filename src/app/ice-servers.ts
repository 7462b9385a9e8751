/** The STUN and TURN servers for the next connection: those that a person set, and open nodes that say that they answer STUN. */
import type { Link } from '../node/link.ts';
import type { IceServer } from './api.ts';
import type { NetworkKeeper } from './network-settings.ts';

export interface IceServers {
  /** Asked for at each connection. */
  current(): readonly IceServer[];
  /** `stun:` addresses of open nodes that are in use. */
  found(): readonly string[];
}

/** Servers that are asked, set ones included: a second one shows whether the NAT gives each another address, more only take time and bytes. */
const MAX_ASKED = 2;
const HOST = /^wss?:\/\/(\[[^\]]+\]|[^:/]+)/;

export function createIceServers(options: {
  network: Pick<NetworkKeeper, 'current'>;
  links: () => readonly Pick<Link, 'contact'>[];
}): IceServers {
  /** An open node that is out of reach for the moment may still answer. The latest last. */
  let known: readonly string[] = [];

  const found = (): readonly string[] => {
    const set = options.network.current.iceServers.map(({ urls }) => urls);
    const now = options.links().flatMap(({ contact }) => stunOf(contact) ?? []);
    known = [...new Set([...known.filter((url) => !now.includes(url)), ...now])].slice(-MAX_ASKED);
    // One at least: what a person set may be out of order.
    return known.filter((url) => !set.includes(url)).slice(-Math.max(1, MAX_ASKED - set.length));
  };

  return {
    found,
    current: () => [...options.network.current.iceServers, ...found().map((urls) => ({ urls }))],
  };
}

function stunOf({ open, stun }: Link['contact']): string | null {
  const host = open !== null && stun !== null ? HOST.exec(open)?.[1] : undefined;
  return host ? `stun:${host}:${stun}` : null;
}
