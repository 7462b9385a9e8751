import { toHex } from '../../../../src/base/bytes.ts';
import { fail } from '../../../../src/base/errors.ts';
import type { Channel, Clock, Endpoint, Pairer, Pairing, Random } from '../../../../src/base/ports.ts';
import { type Deferred, deferred, quiet } from '../../../../src/base/timing.ts';
import { makeEndpoint } from '../../support/make-endpoint.ts';
import { channelPair } from './channel-pair.ts';

/** The networks between the devices of one test. */
export interface MemoryPairers {
  create(): Pairer;
  /** While true, no way between two networks opens. */
  walled: boolean;
  /** Connections that hold something: begun, and neither open nor given up. */
  readonly held: number;
}

interface End {
  readonly opened: Deferred<Channel>;
  over: boolean;
}

/** Pairers that open when the offering side has the answer, after 20 ms. */
export function createMemoryPairers({ clock, random }: { clock: Clock; random: Random }): MemoryPairers {
  const ends = new Map<string, End>();
  const network: MemoryPairers = {
    walled: false,
    get held() {
      return [...ends.values()].filter(({ over }) => !over).length;
    },
    create: () => ({ offer: () => begin(null), answer: begin }),
  };

  const begin = (offer: Endpoint | null): Pairing => {
    const user = toHex(random.bytes(4));
    const end: End = { opened: deferred(), over: false };
    const own = deferred<Endpoint>();
    quiet(end.opened.promise);
    quiet(own.promise);
    ends.set(user, end);
    const stop = (code: 'closed' | 'unreachable'): void => {
      if (end.over) return;
      end.over = true;
      own.reject(fail(code, 'Given up.'));
      end.opened.reject(fail(code, 'No way between the two.'));
    };
    clock.after(5, () => own.resolve(makeEndpoint({ user, fingerprint: random.bytes(32) })));
    return {
      own: own.promise,
      opened: end.opened.promise,
      accept(answer) {
        if (offer || end.over) return;
        const other = ends.get(answer.user);
        clock.after(20, () => {
          if (end.over) return;
          if (network.walled || !other || other.over) return stop('unreachable');
          const [near, far] = channelPair(clock);
          for (const [one, channel] of [
            [end, near],
            [other, far],
          ] as const) {
            one.over = true;
            one.opened.resolve(channel);
          }
        });
      },
      close: () => stop('closed'),
    };
  };
  return network;
}
