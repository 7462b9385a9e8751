/** Where a person who watches asks for a lower quality, and where the service worker finds what comes of it. What making one needs is loaded then. */
import type { Bytes } from '../base/bytes.ts';
import { asKadreelError, fail } from '../base/errors.ts';
import type { Clock, Crypto, Random, Transcoder } from '../base/ports.ts';
import type { Key } from '../kademlia/key.ts';
import type { Catalogue } from '../media/hls-responder.ts';
import type { VideoId } from '../media/manifest.ts';
import type { BadHelpers } from './bad-helpers.ts';
import type { LowerMaking, LowerMakingOptions } from './lower-quality.ts';
import type { LowerAsked, LowerRequest, WatchSession } from './watch-session.ts';

export interface LowerDesk {
  /** What a session of this video can ask for, and what ends with it. */
  open(catalogue: (signal: AbortSignal) => Promise<Catalogue>): Pick<WatchSession, 'lower' | 'askLower' | 'close'>;
  /** The catalogue behind the name of what is being made here; null for another name. Throws `not-found` before there is enough of it. */
  catalogue(id: VideoId): Catalogue | null;
  /** A segment of what is being made here; null for any other. */
  segment(group: Key, index: number, signal: AbortSignal): Promise<Bytes> | null;
}

export interface LowerDeskOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly node: LowerMakingOptions['node'];
  readonly transcoder: Pick<Transcoder, 'convert' | 'decodes'>;
  readonly bad: Promise<BadHelpers>;
  readonly checkShare: LowerMakingOptions['checkShare'];
}

export function createLowerDesk(options: LowerDeskOptions): LowerDesk {
  const making = new Set<LowerMaking>();

  const ask = (catalogue: (signal: AbortSignal) => Promise<Catalogue>, { name, at, onView }: LowerRequest): LowerAsked => {
    const abort = new AbortController();
    let playhead = at;
    let mine: LowerMaking | null = null;
    const begin = async (): Promise<void> => {
      const [{ createLowerMaking, lowerQualities }, bad, signed] = await Promise.all([
        import('./lower-quality.ts'),
        options.bad,
        catalogue(abort.signal),
      ]);
      const quality = lowerQualities(signed).find((one) => one.name === name);
      if (!quality) throw fail('not-found', `This video can’t be made in ${name}, or has it by now.`);
      if (abort.signal.aborted) return;
      const own = createLowerMaking({ ...options, bad, catalogue: signed, quality, at: playhead, onView });
      mine = own;
      making.add(own);
    };
    begin().catch((error: unknown) => {
      const nothing = { name, playlistUrl: null, ahead: 0, helpers: 0, speed: null, found: false };
      if (!abort.signal.aborted) onView({ ...nothing, problem: asKadreelError(error) });
    });
    return {
      playhead(seconds) {
        playhead = seconds;
        mine?.playhead(seconds);
      },
      close() {
        abort.abort();
        if (!mine) return;
        mine.close();
        making.delete(mine);
      },
    };
  };

  return {
    open(catalogue) {
      const over = new AbortController();
      let asked: LowerAsked | null = null;
      return {
        async lower() {
          try {
            const [{ lowerQualities }, signed] = await Promise.all([import('./lower-quality.ts'), catalogue(over.signal)]);
            return lowerQualities(signed).map(({ name, bitrate }) => ({ name, bitrate }));
          } catch {
            return []; // The player tells what is wrong with the video itself.
          }
        },
        askLower(request) {
          asked?.close();
          asked = ask(catalogue, request);
          return asked;
        },
        close() {
          over.abort();
          asked?.close();
        },
      };
    },
    catalogue(id) {
      const own = [...making].find((one) => one.id === id);
      if (!own) return null;
      const found = own.catalogue();
      if (!found) throw fail('not-found', 'There is not enough of this quality yet.');
      return found;
    },
    segment(group, index, signal) {
      return [...making].find((one) => one.owns(group))?.segment(group, index, signal) ?? null;
    },
  };
}
