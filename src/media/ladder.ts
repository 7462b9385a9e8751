/** The qualities that a video is offered in: which sizes, and how many bits each may take. */

/** A video as it is shown, after rotation and with square pixels. */
export interface LadderSource {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Frames a second; 0 when variable or unknown. */
  readonly frameRate: number;
  /** Bits a second of the picture on average; null when unknown. */
  readonly bitrate: number | null;
  /** Whether the source itself is a rendition that every browser plays: then a rung about as large adds nothing. */
  readonly copied: boolean;
}

/** One quality to be made. */
export interface Rung {
  readonly name: RungName;
  /** Pixels as shown, both even. */
  readonly width: number;
  readonly height: number;
  /** Bits a second of the picture alone, on average. */
  readonly bitrate: number;
}

/** What people call a quality: its lines, counted along the shorter side. */
export type RungName = '1080p' | '720p' | '480p' | '360p' | '240p';

/**
 * Bits a second at 16:9 and 30 frames a second. Taken as given: 1,000 kbit/s for filmed 720p by x264 at `-preset veryfast -crf 25`, and bits that
 * go with pixels to the power 0.75. Measured: Chromium's encoder (OpenH264) takes 2.4 times as many for the same SSIM. The numbers are the product,
 * rounded. They are what an average may reach: a still picture takes less.
 */
const STEPS: readonly { readonly name: RungName; readonly lines: number; readonly bitrate: number }[] = [
  { name: '1080p', lines: 1080, bitrate: 4_400_000 },
  { name: '720p', lines: 720, bitrate: 2_400_000 },
  { name: '480p', lines: 480, bitrate: 1_300_000 },
  { name: '360p', lines: 360, bitrate: 850_000 },
  { name: '240p', lines: 240, bitrate: 460_000 },
];

const USUAL_ASPECT = 16 / 9;
const USUAL_RATE = 30; // frames a second
/** Frames a second beyond which no more bits are given, and below which no fewer. */
const MAX_RATE = 60;
const MIN_RATE = 10;
const PIXEL_EXPONENT = 0.75;
/** Twice the frames take about 1.4 times the bits: each differs less from the one before. */
const RATE_EXPONENT = 0.5;
/** A rung that has at least this share of a copied source's lines is left out. */
const TOO_LIKE = 0.9;

/**
 * The rungs for a source, best first, each with fewer pixels and bits than the one before. "p" counts the shorter side, so that a portrait
 * video has the same names. None is larger than the source, in pixels or in bits. Empty when the source is smaller than the smallest rung.
 */
export function ladderFor(source: LadderSource): readonly Rung[] {
  const shorter = Math.min(source.width, source.height);
  const longer = Math.max(source.width, source.height);
  if (!(shorter > 0) || !Number.isFinite(longer)) return [];
  return STEPS.filter(({ lines }) => (source.copied ? lines < TOO_LIKE * shorter : lines <= shorter)).map(({ name, lines, bitrate }) => {
    const across = evenSide((longer * lines) / shorter, longer);
    const [width, height] = source.width >= source.height ? [across, lines] : [lines, across];
    return { name, width, height, bitrate: allowed(bitrate, source, lines) };
  });
}

/** Whether every browser that plays video plays this picture, by its codec (RFC 6381, or its name alone): H.264, of up to 8 bits where that is told. */
export function playsEverywhere(codec: string): boolean {
  return /^(avc|avc[13]|avc[13]\.(42|4d|58|64)[0-9a-f]{4})$/i.test(codec);
}

/** The even number nearest to `pixels` that is not above `most`. */
function evenSide(pixels: number, most: number): number {
  const nearest = 2 * Math.round(pixels / 2);
  return nearest <= most ? nearest : 2 * Math.floor(most / 2);
}

/**
 * The table's bits for this aspect and frame rate. Of a source that is easy to encode a smaller picture may take only so much as its lines are
 * to the source's: else the better picture would be the lighter one, and nobody would be helped.
 */
function allowed(bitrate: number, source: LadderSource, lines: number): number {
  const shorter = Math.min(source.width, source.height);
  const aspect = Math.max(source.width, source.height) / shorter;
  const rate = source.frameRate > 0 ? Math.min(Math.max(source.frameRate, MIN_RATE), MAX_RATE) : USUAL_RATE;
  const usual = bitrate * (aspect / USUAL_ASPECT) ** PIXEL_EXPONENT * (rate / USUAL_RATE) ** RATE_EXPONENT;
  const most = source.bitrate === null ? Number.POSITIVE_INFINITY : (source.bitrate * lines) / shorter;
  return Math.max(Math.floor(Math.min(usual, most)), 1);
}
