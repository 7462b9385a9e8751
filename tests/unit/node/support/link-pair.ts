import { EMPTY } from '../../../../src/base/bytes.ts';
import type { Channel, ChannelListener } from '../../../../src/base/ports.ts';
import type { Answer } from '../../../../src/node/answering.ts';
import type { IncomingCall, Link } from '../../../../src/node/link.ts';
import { createLink } from '../../../../src/node/proven-link.ts';
import { createQuietGaps, type QuietGaps } from '../../../../src/node/quiet-gaps.ts';
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
  options: { serve?: (call: IncomingCall) => Answer; heartbeat?: number; transport?: Channel['transport']; quietGaps?: QuietGaps } = {},
): readonly [LinkEnd, LinkEnd] {
  const channels = channelPair(bench.clock);
  for (const channel of channels) Object.assign(channel, { transport: options.transport ?? 'memory' });
  const make = ({
    channel,
    initiated,
    serve,
  }: {
    channel: TestChannel;
    initiated: boolean;
    serve: (call: IncomingCall) => Answer;
  }): LinkEnd => {
    const counters: LinkEnd['counters'] = { malformed: 0, sent: 0, ended: null };
    const { contact, storeId } = bench.someone();
    const proven = { channel, contact, storeId, roundTrip: 0, listen: (listener: ChannelListener) => channel.listen(listener) };
    const link = createLink(
      proven,
      { initiated },
      {
        clock: bench.clock,
        heartbeat: options.heartbeat ?? 0,
        silence: 7_000,
        quietGaps: options.quietGaps ?? createQuietGaps({ least: 20_000, most: 100_000 }),
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
  return [
    make({ channel: channels[0], initiated: true, serve: async () => EMPTY }),
    make({ channel: channels[1], initiated: false, serve: options.serve ?? (async () => EMPTY) }),
  ];
}
