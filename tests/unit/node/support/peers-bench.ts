import { EMPTY } from '../../../../src/base/bytes.ts';
import { fail } from '../../../../src/base/errors.ts';
import type { Channel } from '../../../../src/base/ports.ts';
import type { Contact } from '../../../../src/kademlia/contact.ts';
import type { Link } from '../../../../src/node/link.ts';
import { createPeers, type Peers, type PeersOptions } from '../../../../src/node/peers.ts';
import { DEFAULT_SETTINGS } from '../../../../src/node/settings.ts';
import type { Bench } from './bench.ts';
import { channelPair, type TestChannel } from './channel-pair.ts';

export interface PeersEnd {
  readonly peers: Peers;
  readonly contact: Contact;
  readonly events: string[];
  /** Channels that were dialled from here, with their far ends. */
  readonly wires: { near: TestChannel; far: TestChannel }[];
}

/** The links of somebody new. Dialling an address of `listeners` reaches who listens there. */
export function makePeers(
  bench: Bench,
  options: {
    open?: string;
    listeners: Map<string, (channel: Channel) => void>;
    punch?: (contact: Contact) => Promise<Link>;
    admit?: PeersOptions['admit'];
    onLink?: PeersOptions['onLink'];
  },
): PeersEnd {
  const { signer, contact, storeId } = bench.someone(options.open ?? null);
  const events: string[] = [];
  const wires: PeersEnd['wires'] = [];
  const peers = createPeers({
    clock: bench.clock,
    random: bench.random,
    crypto: bench.crypto,
    signer,
    dialer: {
      async dial(url) {
        const accept = options.listeners.get(url);
        if (!accept) throw fail('unreachable', `Nobody is at ${url}.`);
        const [near, far] = channelPair(bench.clock);
        wires.push({ near, far });
        accept(far);
        return near;
      },
    },
    settings: DEFAULT_SETTINGS,
    contact: () => contact,
    self: contact.id,
    storeId,
    punch: options.punch ?? (() => Promise.reject(fail('unreachable', 'Nobody carries signals here.'))),
    admit: options.admit ?? (() => ({ taken: true, instead: null })),
    serve: async () => EMPTY,
    onLink(link, seen) {
      events.push(`link ${link.id.slice(0, 4)}`);
      options.onLink?.(link, seen);
    },
    onUnlink: (link) => void events.push(`unlink ${link.id.slice(0, 4)}`),
    onMalformed: () => void events.push('malformed'),
    onSent: () => undefined,
    onWake: () => void events.push('wake'),
  });
  if (options.open)
    options.listeners.set(
      options.open,
      (channel) => void peers.adopt(channel, { initiated: false, expected: null }).catch(() => undefined),
    );
  return { peers, contact, events, wires };
}
