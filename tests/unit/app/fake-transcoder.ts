/** A Transcoder that makes renditions up: small, the same for the same file, and with a hook before each event. */
import { type Bytes, fromUtf8 } from '../../../src/base/bytes.ts';
import type { CutEvent, CutRendition, MediaProbe, PreviewSheets, SourceFile, Transcoder, VideoQuality } from '../../../src/base/ports.ts';
import { abortError } from '../../../src/base/timing.ts';
import { seededRandom } from '../../sim/random.ts';
import { convertSynthetic, type SyntheticSource } from '../media/synthetic-video.ts';

export interface FakeTranscoder extends Transcoder {
  /** Cuts and encodes under way. */
  readonly running: number;
  /** Segments made so far, those included that came to nobody. */
  readonly made: number;
}

export interface FakeCut {
  /** Segments in each rendition. */
  readonly segments?: number;
  /** Bytes of a segment. */
  readonly size?: number;
  readonly poster?: Bytes | null;
  /** Tiles for the seek bar; there are none unless they are given. */
  readonly sheets?: PreviewSheets | null;
  readonly plan?: MediaProbe['plan'];
  /** Lines of the picture. The usual one is too small for other qualities to be made of it. */
  readonly height?: number;
  /** Initialisation segment of every rendition. */
  readonly init?: Bytes;
  /** The picture is this one: jobs can be made of it. */
  readonly video?: SyntheticSource;
  /** Whether qualities are quickly made as a whole. */
  readonly quick?: boolean;
  /** To be waited for before the converter gives anything. */
  readonly converting?: (signal: AbortSignal) => Promise<void>;
  /** False for one that begins afresh whatever is kept. */
  readonly resumes?: boolean;
  /** Called before each event is given, the probe being one as well; may throw. */
  readonly before?: (event: CutEvent['type'] | 'probe') => void | Promise<void>;
}

/** Microseconds: with ten of them a group is full. */
const SEGMENT = 4_000_000;
/** The first bytes of a JPEG, and some more. */
export const POSTER: Bytes = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4]);

const RENDITIONS: readonly CutRendition[] = [
  { index: 0, kind: 'video', codecs: 'avc1.64001f', init: fromUtf8('init of the picture'), width: 320, height: 180, frameRate: 30 },
  { index: 1, kind: 'audio', codecs: 'mp4a.40.2', init: fromUtf8('init of the sound'), width: 0, height: 0, frameRate: 0 },
];

/** A file whose content is its `seed`: the same seed is cut to the same bytes. */
export function fakeFile(seed: number, name = 'holiday.mp4'): SourceFile {
  return {
    name,
    size: 4,
    slice: () => ({ arrayBuffer: async () => new Uint32Array([seed]).buffer }),
  };
}

export function createFakeTranscoder(cut: FakeCut = {}): FakeTranscoder {
  const {
    segments = 12,
    size = 2_000,
    poster = POSTER,
    sheets = null,
    plan = 'copy',
    height = 180,
    init,
    resumes = true,
    video,
    before = () => undefined,
  } = cut;
  let running = 0;
  let made = 0;

  async function* events(file: SourceFile, kept: readonly number[]): AsyncGenerator<CutEvent, void, undefined> {
    const [seed = 0] = new Uint32Array(await file.slice(0, 4).arrayBuffer());
    const random = seededRandom(seed);
    const from = (index: number): number => (resumes ? (kept[index] ?? 0) : 0);
    if (poster) yield { type: 'poster', bytes: poster, mime: 'image/jpeg' };
    for (const rendition of RENDITIONS) {
      const size = rendition.kind === 'video' ? { width: Math.round((height * 16) / 9), height } : {};
      yield {
        type: 'rendition',
        rendition: { ...rendition, ...size, ...(init && { init }), ...(video && rendition.kind === 'video' && { init: video.init }) },
        from: from(rendition.index),
      };
    }
    for (let n = 0; n < segments; n++) {
      for (const { index, kind } of RENDITIONS) {
        const bytes = (kind === 'video' && video?.segments[n]) || random.bytes(size);
        if (n >= from(index)) yield { type: 'segment', rendition: index, bytes: bytes.slice(), duration: SEGMENT };
      }
      yield { type: 'progress', fraction: (n + 1) / segments };
    }
    yield { type: 'done' };
  }

  async function* qualityEvents(file: SourceFile, quality: VideoQuality): AsyncGenerator<CutEvent, void, undefined> {
    const [seed = 0] = new Uint32Array(await file.slice(0, 4).arrayBuffer());
    const random = seededRandom(seed + quality.height);
    const { starts } = quality;
    const from = resumes ? (quality.from ?? 0) : 0;
    const [picture] = RENDITIONS as readonly [CutRendition];
    yield { type: 'rendition', rendition: { ...picture, ...(init && { init }), width: quality.width, height: quality.height }, from };
    for (const [n, start] of starts.entries()) {
      const duration = (starts[n + 1] ?? segments * SEGMENT) - start;
      const bytes = random.bytes(size);
      if (n >= from) yield { type: 'segment', rendition: 0, bytes, duration };
      yield { type: 'progress', fraction: (n + 1) / starts.length };
    }
    yield { type: 'done' };
  }

  async function* watched(events: AsyncIterable<CutEvent>, signal: AbortSignal): AsyncGenerator<CutEvent, void, undefined> {
    running++;
    try {
      for await (const event of events) {
        await before(event.type);
        if (signal.aborted) throw abortError(signal);
        if (event.type === 'segment') made++;
        yield event;
      }
    } finally {
      running--;
    }
  }

  return {
    get running() {
      return running;
    },
    get made() {
      return made;
    },
    async probe(_file, signal) {
      await before('probe');
      if (signal.aborted) throw abortError(signal);
      const duration = (segments * SEGMENT) / 1e6;
      const copied = plan === 'copy';
      const shown = { width: Math.round((height * 16) / 9), height, rotation: 0, frameRate: 30, variable: false };
      const video = { codec: 'H.264', ...shown, bitrate: 4_000, copied };
      const audio = { codec: 'AAC', channels: 2, sampleRate: 48_000, bitrate: 4_000, copied };
      return { duration, container: 'MP4', video, audio, plan };
    },
    cut: (file, signal, kept = []) => watched(events(file, kept), signal),
    encode: (file, quality, signal) => watched(qualityEvents(file, quality), signal),
    isQuick: async () => cut.quick ?? true,
    async convert({ source, args }, signal) {
      running++;
      try {
        await cut.converting?.(signal);
        if (signal.aborted) throw abortError(signal);
        return convertSynthetic(source, args);
      } finally {
        running--;
      }
    },
    decodes: async () => null,
    pictures: async () => (poster ? [{ bytes: poster, mime: 'image/jpeg' }] : []),
    sheets: async () => sheets,
    still: async () => ({ bytes: POSTER, mime: 'image/jpeg' }),
  };
}
