import { EMPTY } from '../../../../src/base/bytes.ts';
import type { Channel, ChannelListener } from '../../../../src/base/ports.ts';
import type { Answer } from '../../../../src/node/answering.ts';
import type { IncomingCall, Link } from '../../../../src/node/link.ts';
import { createLink } from '../../../../src/node/proven-link.ts';
import type { Bench } from './bench.ts';
import { channelPair, type TestChannel } from './channel-pair.ts';

export interface LinkEnd {
  readonly link: Link;
  readonly channel: TestChannel;
  readonly counters: { malformed: number; sent: number; ended: string | null };
}

/** Two links at the ends of one wire, started. `serve` answers at the second end. */
export function linkPair(
  bench: Bench,
  options: { serve?: (call: IncomingCall) => Answer; heartbeat?: number; transport?: Channel['transport'] } = {},
): readonly [LinkEnd, LinkEnd] {
  const channels = channelPair(bench.clock);
  for (const channel of channels) Object.assign(channel, { transport: options.transport ?? 'memory' });
  const make = (channel: TestChannel, serve: (call: IncomingCall) => Answer): LinkEnd => {
    const counters: LinkEnd['counters'] = { malformed: 0, sent: 0, ended: null };
    const { contact, storeId } = bench.someone();
    const proven = { channel, contact, storeId, roundTrip: 0, listen: (listener: ChannelListener) => channel.listen(listener) };
    const link = createLink(
      proven,
      { initiated: true },
      {
        clock: bench.clock,
        heartbeat: options.heartbeat ?? 0,
        silence: 7_000,
        socketHeartbeat: 20_000,
        socketSilence: 45_000,
        callDeadline: 5_000,
        stallDeadline: 8_000,
        serve,
        onMalformed: () => counters.malformed++,
        onSent(bytes) {
          counters.sent += bytes;
        },
        onClose(_, reason) {
          counters.ended = reason;
        },
      },
    );
    link.start();
    return { link, channel, counters };
  };
  return [make(channels[0], async () => EMPTY), make(channels[1], options.serve ?? (async () => EMPTY))];
}
