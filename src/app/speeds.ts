/** How fast this device cuts, converts and encodes, measured while it publishes and kept on its disk: what the next estimate is made from. */
import type { Clock, CutEvent, MediaProbe, SourceFile, Store, Transcoder, VideoProbe, VideoQuality } from '../base/ports.ts';
import { decode, encode, nullable, struct, uint } from '../base/schema.ts';

/** Null where nothing was measured yet. */
export interface Speeds {
  /** Bytes of the source a second, when it is copied. */
  readonly copy: number | null;
  /** Pixels a second that are read and written, when a file is converted, and when a quality is made of one. */
  readonly convert: number | null;
  readonly encode: number | null;
}

/** Of a device that has published nothing yet. */
export const NO_SPEEDS: Speeds = { copy: null, convert: null, encode: null };

export interface SpeedBook {
  /** As far as is known. Never rejects. */
  read(): Promise<Speeds>;
  /** The transcoder, with a clock beside it: what is done to the end is noted. */
  readonly transcoder: Transcoder;
}

const ROW = 'speeds';
const speed = nullable(uint(Number.MAX_SAFE_INTEGER));
const speedsSchema = struct<Speeds>({ copy: speed, convert: speed, encode: speed });
/** Milliseconds: what is over sooner says more about starting than about working. */
const LEAST_TIME = 200;
/** The share of the newest figure in what is kept: a busy hour should not be remembered as the device. */
const NEWEST = 0.5;
/** Frames a second of a video that does not say. */
const USUAL_RATE = 30;

/** Pixels that go through a decoder and an encoder in this many seconds of a video. */
export function pixelsOf(video: VideoProbe, made: { readonly width: number; readonly height: number }, seconds: number): number {
  return (video.width * video.height + made.width * made.height) * (video.frameRate || USUAL_RATE) * seconds;
}

/** Pixels of a converted picture at most, along its longer and its shorter side: 1080p, upright or not. */
const CONVERTED = { longer: 1920, shorter: 1080 };

/** What a converted picture measures, as shown. */
export function convertedSize({ width, height }: { readonly width: number; readonly height: number }): { width: number; height: number } {
  const scale = Math.min(1, CONVERTED.longer / Math.max(width, height, 1), CONVERTED.shorter / Math.max(Math.min(width, height), 1));
  return { width: 2 * Math.floor((width * scale) / 2), height: 2 * Math.floor((height * scale) / 2) };
}

export function createSpeedBook(options: { transcoder: Transcoder; store: Pick<Store, 'get' | 'update'>; clock: Clock }): SpeedBook {
  const { transcoder, store, clock } = options;
  /** What files were found to be: making a quality does not look again. */
  const probes = new WeakMap<SourceFile, MediaProbe>();

  const probe: Transcoder['probe'] = async (file, signal) => {
    const found = await transcoder.probe(file, signal);
    probes.set(file, found);
    return found;
  };

  const note = async (what: keyof Speeds, measured: number): Promise<void> => {
    await store.update('meta', ROW, (before) => {
      const known = (before && decode(speedsSchema, before)) ?? NO_SPEEDS;
      const old = known[what];
      return encode(speedsSchema, { ...known, [what]: Math.round(old === null ? measured : NEWEST * measured + (1 - NEWEST) * old) });
    });
  };

  async function* timed(
    events: AsyncIterable<CutEvent>,
    work: () => { what: keyof Speeds; amount: number } | null,
  ): AsyncGenerator<CutEvent> {
    const began = clock.now();
    for await (const event of events) {
      if (event.type === 'done') {
        const [elapsed, done] = [clock.now() - began, work()];
        // A disk that is full now has other worries.
        if (done && elapsed >= LEAST_TIME) await note(done.what, (1000 * done.amount) / elapsed).catch(() => undefined);
      }
      yield event;
    }
  }

  const cutWork = (file: SourceFile): { what: keyof Speeds; amount: number } | null => {
    const found = probes.get(file);
    if (!found) return null;
    if (found.plan === 'copy') return { what: 'copy', amount: file.size };
    const { video, duration } = found;
    return video && !video.copied ? { what: 'convert', amount: pixelsOf(video, convertedSize(video), duration) } : null;
  };
  const encodeWork = (file: SourceFile, quality: VideoQuality): { what: keyof Speeds; amount: number } | null => {
    const found = probes.get(file);
    return found?.video ? { what: 'encode', amount: pixelsOf(found.video, quality, found.duration) } : null;
  };

  return {
    async read() {
      const row = await store.get('meta', ROW).catch(() => null);
      return (row && decode(speedsSchema, row)) ?? NO_SPEEDS;
    },
    transcoder: {
      ...transcoder,
      probe,
      // What goes on from the middle says nothing about the whole.
      cut: (file, signal, kept = []) =>
        timed(transcoder.cut(file, signal, kept), () => (kept.some((count) => count > 0) ? null : cutWork(file))),
      encode: (file, quality, signal) =>
        timed(transcoder.encode(file, quality, signal), () => (quality.from ? null : encodeWork(file, quality))),
    },
  };
}
