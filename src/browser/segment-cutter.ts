/** Where segments begin and end: at key frames for video, on packet boundaries for audio. Pure: packets in, runs of packets out. */
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/** What the cutter reads of a packet; mediabunny's EncodedPacket is one. Seconds and bytes. */
export interface CutPacket<P> {
  readonly type: 'key' | 'delta';
  readonly timestamp: number;
  readonly duration: number;
  readonly byteLength: number;
  clone(changes: { timestamp: number; duration: number }): P;
}

/** Packets in decode order, on the new timeline; the next segment starts where this one ends (seconds). */
export interface CutSegment<P> {
  readonly packets: readonly P[];
  readonly start: number;
  readonly end: number;
}

/** Seconds: long enough that requests are few, short enough that a seek or a change of quality is quick (RFC 8216 authors use 4 to 6). */
export const SEGMENT_SECONDS = 4;

/** Seconds between key frames beyond which a video is encoded anew: a seek would have to wait for so much. */
export const MAX_GOP_SECONDS = 20;

/** Bytes of a segment with its boxes around: it must fit in a group. */
export const MAX_GOP_BYTES = LIMITS.group - 256 * 1024;

/** Seconds that sound may start before the picture and be left out, so that the picture starts at 0. */
const MAX_LEAD = 0.05;

/** Seconds of an edit list's hidden start that may be shown all the same. More is hidden on purpose. */
export const MAX_HIDDEN = 0.05;

/** Seconds by which a container's rounding may move a sound packet: Matroska counts in milliseconds. Beyond it is a gap. */
const JITTER = 0.005;

/** The moment of the file's timeline that becomes 0. What lies before it is decoded and not shown, or is dropped. */
export function timelineOrigin(starts: { video: number | null; audio: number | null }): number {
  const audio = starts.audio === null ? null : Math.max(starts.audio, 0);
  if (starts.video === null) return audio ?? 0;
  if (audio === null || starts.video - audio <= MAX_LEAD) return starts.video;
  return audio;
}

/** What the runs from a key frame to the next ask for. */
export interface GopMeasure {
  /** The longest (seconds) and the largest (bytes). */
  readonly seconds: number;
  readonly bytes: number;
  /** Seconds by which a picture must be decoded before its turn in the order of showing. */
  readonly reorder: number;
}

/** Measures the first `maxPackets` packets. */
export async function measureGops(packets: AsyncIterable<Omit<CutPacket<unknown>, 'clone'>>, maxPackets: number): Promise<GopMeasure> {
  let measure: GopMeasure = { seconds: 0, bytes: 0, reorder: 0 };
  let times: number[] = [];
  let end = Number.NEGATIVE_INFINITY;
  let bytes = 0;
  const close = (): void => {
    const sorted = [...times].sort((a, b) => a - b);
    const reorder = sorted.reduce((most, time, n) => Math.max(most, time - (times[n] as number)), 0);
    const seconds = sorted.length > 0 ? end - (sorted[0] as number) : 0;
    measure = {
      seconds: Math.max(measure.seconds, seconds),
      bytes: Math.max(measure.bytes, bytes),
      reorder: Math.max(measure.reorder, reorder),
    };
    times = [];
    end = Number.NEGATIVE_INFINITY;
    bytes = 0;
  };
  let count = 0;
  for await (const packet of packets) {
    if (packet.type === 'key') close();
    times.push(packet.timestamp);
    end = Math.max(end, packet.timestamp + packet.duration);
    bytes += packet.byteLength;
    if (++count >= maxPackets) break;
  }
  close();
  return measure;
}

/** Segments of whole GOPs, as near to `SEGMENT_SECONDS` as the key frames allow. Rejects with `unsupported` when a GOP fits in no segment. */
export async function* cutVideo<P extends CutPacket<P>>(packets: AsyncIterable<P>, origin: number): AsyncGenerator<CutSegment<P>> {
  let open: Gop<P> | null = null;
  for await (const gop of gops(packets, origin)) {
    if (gop.bytes > MAX_GOP_BYTES) throw fail('unsupported', 'The video has too few key frames to be cut into pieces.');
    if (open && (open.bytes + gop.bytes > MAX_GOP_BYTES || !nearer(gop.end - open.start, gop.start - open.start))) {
      yield closeVideo(open, gop.start);
      open = null;
    }
    open = open ? join(open, gop) : gop;
  }
  if (open) yield closeVideo(open, open.end);
}

/** A key frame and what follows it up to the next, in decode order. */
interface Gop<P> {
  readonly packets: readonly P[];
  readonly start: number;
  readonly end: number;
  readonly bytes: number;
}

async function* gops<P extends CutPacket<P>>(packets: AsyncIterable<P>, origin: number): AsyncGenerator<Gop<P>> {
  let held: P[] = [];
  for await (const packet of packets) {
    if (packet.type === 'key' && held.length > 0) {
      yield gopOf(held);
      held = [];
    }
    // Before the first key frame nothing can be decoded.
    if (packet.type !== 'key' && held.length === 0) continue;
    held.push(packet.clone({ timestamp: packet.timestamp - origin, duration: packet.duration }));
  }
  if (held.length > 0) yield gopOf(held);
}

function gopOf<P extends CutPacket<P>>(packets: readonly P[]): Gop<P> {
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  let bytes = 0;
  for (const packet of packets) {
    start = Math.min(start, packet.timestamp);
    end = Math.max(end, packet.timestamp + packet.duration);
    bytes += packet.byteLength;
  }
  return { packets, start, end, bytes };
}

function join<P>(first: Gop<P>, second: Gop<P>): Gop<P> {
  return { packets: [...first.packets, ...second.packets], start: first.start, end: second.end, bytes: first.bytes + second.bytes };
}

function nearer(seconds: number, than: number): boolean {
  return Math.abs(seconds - SEGMENT_SECONDS) <= Math.abs(than - SEGMENT_SECONDS);
}

/**
 * Decode times are the sorted presentation times, so the packet last in decode order is the last one shown: what it lasts must reach
 * to the next segment, or a variable frame rate leaves a hole there.
 */
function closeVideo<P extends CutPacket<P>>(gop: Gop<P>, end: number): CutSegment<P> {
  const packets = [...gop.packets];
  const last = packets.pop();
  if (last) {
    const latest = packets.reduce((time, packet) => Math.max(time, packet.timestamp), last.timestamp);
    packets.push(last.clone({ timestamp: last.timestamp, duration: Math.max(end - latest, 0) }));
  }
  return { packets, start: gop.start, end };
}

/**
 * Segments that end on the packet boundary nearest to each multiple of `SEGMENT_SECONDS`. Packets are put back on the grid of
 * samples that the encoder had, which the container may have rounded away; packets before the origin are dropped. `at`: where a segment
 * begins (seconds), when these are not the first packets.
 */
export async function* cutAudio<P extends CutPacket<P>>(
  packets: AsyncIterable<P>,
  options: { readonly origin: number; readonly codec: string; readonly sampleRate: number; readonly at?: number },
): AsyncGenerator<CutSegment<P>> {
  const { sampleRate } = options;
  let held: P[] = [];
  let start: number | null = null;
  let next: number | null = options.at === undefined ? null : Math.round(options.at * sampleRate); // samples
  for await (const packet of packets) {
    const samples = packetSamples(options.codec, packet.duration * sampleRate);
    const exact = Math.round((packet.timestamp - options.origin) * sampleRate);
    if (exact < -JITTER * sampleRate) continue;
    const at: number = next !== null && Math.abs(exact - next) <= JITTER * sampleRate ? next : Math.max(exact, next ?? 0, 0);
    const time = at / sampleRate;
    start ??= time;
    if (held.length > 0 && endsSegment(start, time, samples / sampleRate)) {
      yield { packets: held, start, end: time };
      held = [];
      start = time;
    }
    held.push(packet.clone({ timestamp: time, duration: samples / sampleRate }));
    next = at + samples;
  }
  if (held.length > 0 && start !== null && next !== null) yield { packets: held, start, end: next / sampleRate };
}

/** Whether a packet of sound (seconds) is no more of the segment that began at `start`. */
export function endsSegment(start: number, time: number, duration: number): boolean {
  return time + duration / 2 > (Math.floor(start / SEGMENT_SECONDS + 0.5) + 1) * SEGMENT_SECONDS;
}

/** A packet that remembers which one of the file it was. */
export interface TracedPacket<S> extends CutPacket<TracedPacket<S>> {
  readonly source: S;
}

/** Where the segment with a number begins: its first packet in the file, and its time (seconds). */
export interface Joint<S> {
  readonly from: S;
  readonly at: number;
}

/** Finds it by cutting what comes before once more, which needs no bytes of the packets; null when there are not so many segments. */
export async function findJoint<S extends Omit<CutPacket<unknown>, 'clone'>>(
  number: number,
  packets: AsyncIterable<S>,
  cut: (packets: AsyncIterable<TracedPacket<S>>) => AsyncGenerator<CutSegment<TracedPacket<S>>>,
): Promise<Joint<S> | null> {
  let count = 0;
  let at = 0;
  for await (const segment of cut(traced(packets))) {
    const [first] = segment.packets;
    if (count++ === number && first) return { from: first.source, at };
    at = segment.end;
  }
  return null;
}

async function* traced<S extends Omit<CutPacket<unknown>, 'clone'>>(packets: AsyncIterable<S>): AsyncGenerator<TracedPacket<S>> {
  const trace = (source: S, timestamp: number, duration: number): TracedPacket<S> => ({
    ...{ source, timestamp, duration, type: source.type, byteLength: source.byteLength },
    clone: (changes) => trace(source, changes.timestamp, changes.duration),
  });
  for await (const packet of packets) yield trace(packet, packet.timestamp, packet.duration);
}

/** Samples in an AAC frame (ISO 14496-3: 1,024 or 960, twice that with SBR) and in the unit of an Opus packet (2.5 ms, RFC 6716). */
const AAC_FRAMES = [1024, 960, 2048, 1920];
const OPUS_UNIT = 120;
const OPUS_USUAL = 960;

function packetSamples(codec: string, samples: number): number {
  if (codec === 'opus') return Math.max(1, Math.round((samples || OPUS_USUAL) / OPUS_UNIT)) * OPUS_UNIT;
  if (codec !== 'aac') return Math.max(1, Math.round(samples));
  const usual = AAC_FRAMES[0] as number;
  return AAC_FRAMES.reduce(
    (best, frame) => (Math.abs(frame - (samples || usual)) < Math.abs(best - (samples || usual)) ? frame : best),
    usual,
  );
}
