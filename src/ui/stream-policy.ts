/** How a stream is loaded from tabs instead of from a server, and what is said when it fails. Plain values, without hls.js. */
import { fail, type KadreelError } from '../base/errors.ts';

/** One choice of picture quality. */
export interface Quality {
  /** -1: as the connection allows. */
  readonly index: number;
  readonly name: string;
}

/** A segment may need a new connection first, and a second holder when the first is late: generous, with few retries on top. */
const FROM_TABS = {
  default: {
    maxTimeToFirstByteMs: 20_000,
    maxLoadTimeMs: 60_000,
    timeoutRetry: { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry: 3, retryDelayMs: 1_000, maxRetryDelayMs: 8_000, backoff: 'exponential' },
  },
} as const;

/** What of hls.js’s configuration is not left to hls.js. */
export const STREAM_CONFIG = {
  // hls.js starts its worker from a blob: address, which our CSP forbids. Our segments are fragmented MP4 already, so there is
  // no remuxing worth a worker, or the 100 kB of a worker script of our own.
  enableWorker: false,
  startFragPrefetch: true,
  capLevelToPlayerSize: true,
  maxBufferLength: 30, // s: what a viewer who leaves wastes of other people's uplink
  maxMaxBufferLength: 60, // s
  maxBufferSize: 60_000_000, // bytes
  backBufferLength: 30, // s
  fragLoadPolicy: FROM_TABS,
} as const;

/** Times that a broken decoder, or a source that has run dry, is started again before a person is told. */
export const RECOVERIES = 2;
/** While there is still something to play, loading is tried again this often: milliseconds. A tab that keeps it may come back. */
export const RETRY_EVERY = 3_000;
/** Less than this many seconds loaded ahead is dry. */
export const DRY = 1;

/** Loads that say how fast a link is: some 16 s of video. */
const SAMPLES = 4;
/** With less than this share of what the lightest quality takes, playing stops sooner or later. */
const TOO_LITTLE = 0.9;
/** So many stops within this time (ms) show it, too. */
const STOPS = 3;
const STOPS_WITHIN = 60_000;

/** Watches whether a link carries the lightest quality that there is. */
export interface LinkWatch {
  /** A part of the picture came: bytes, ms, and the bits a second of the lightest quality. */
  loaded(part: { readonly bytes: number; readonly ms: number; readonly lightest: number }): void;
  /** Playing stopped for lack of data, at this time (ms). */
  stopped(at: number): void;
  /** Bits a second that came, when it is too slow; else null. */
  tooSlow(): number | null;
}

/** hls.js's own estimate leaves out the time to the first byte, and here all bytes come at once at the end of it. */
export function watchLink(): LinkWatch {
  let parts: { readonly bytes: number; readonly ms: number }[] = [];
  let stops: number[] = [];
  let lightest = 0;
  return {
    loaded({ bytes, ms, lightest: least }) {
      parts = [...parts, { bytes, ms }].slice(-SAMPLES);
      lightest = least;
    },
    stopped(at) {
      stops = [...stops, at].filter((time) => time > at - STOPS_WITHIN);
    },
    tooSlow() {
      const ms = parts.reduce((sum, part) => sum + part.ms, 0);
      const bandwidth = ms > 0 ? (8000 * parts.reduce((sum, part) => sum + part.bytes, 0)) / ms : Number.POSITIVE_INFINITY;
      const isSlow = parts.length === SAMPLES && bandwidth < TOO_LITTLE * lightest;
      return isSlow || stops.length >= STOPS ? Math.min(bandwidth, lightest) : null;
    },
  };
}

/** The choices for these levels, best first; none when there is nothing to choose. */
export function qualitiesOf(levels: readonly { height: number; bitrate: number }[]): readonly Quality[] {
  if (levels.length < 2) return [];
  const rate = (bitrate: number): string => `${Math.round(bitrate / 1000)} kbit/s`;
  const nameOf = ({ height, bitrate }: { height: number; bitrate: number }): string => {
    if (height === 0) return rate(bitrate);
    // One size in two codecs: not every browser plays both.
    const isOne = levels.filter((level) => level.height === height).length === 1;
    return isOne ? `${height}p` : `${height}p, ${rate(bitrate)}`;
  };
  return [
    { index: -1, name: 'Auto' },
    ...levels.map((level, index) => ({ index, height: level.height, name: nameOf(level) })).sort((a, b) => b.height - a.height),
  ];
}

/** The level that people call so; -1 where there is none, or none is named. */
export function levelOf(levels: readonly { width: number; height: number }[], name: string | null): number {
  return levels.findIndex(({ width, height }) => `${Math.min(width, height)}p` === name);
}

/** What hls.js says about a failure, as far as we read it. */
export interface StreamFailure {
  readonly details: string;
  readonly error: Error;
  readonly response?: { readonly code?: number | undefined } | undefined;
}

/** The failure of a stream, for a person. `network` tells whether bytes did not come, or could not be decoded. */
export function streamError(data: StreamFailure, network: boolean): KadreelError {
  if (!network) return fail('unsupported', 'The browser could not decode what arrived.', data.error);
  const status = data.response?.code ?? 0;
  if (status === 410) return fail('withdrawn', 'Whoever published this video took it off.', data.error);
  if (status === 404) return fail('not-found', 'None of the tabs that are open now has this part of the video.', data.error);
  if (status === 504 || data.details.includes('imeOut')) {
    return fail('timeout', 'The next part of the video did not arrive: no tab that keeps it answered in time.', data.error);
  }
  return fail('unreachable', 'The next part of the video could not be loaded.', data.error);
}
