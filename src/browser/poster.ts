/** A small picture of a video, for cards and for the time before it plays. */
import type { Bytes } from '../base/bytes.ts';
import type { VideoTrack } from './media-file.ts';

/** Pixels: twice the width of a card on a phone's screen. */
const WIDTH = 320;
/** Bytes: a value of the network with room to spare. */
const MAX_BYTES = 11 * 1024;
/** Where to look, as parts of the duration: many videos begin with black. */
const MOMENTS = [0.1, 0.25, 0.5, 0.02];
/** Mean brightness, of 255, below which a picture counts as black. */
const DARK = 24;
const QUALITIES = [0.82, 0.7, 0.55, 0.4, 0.25, 0.1];

export interface Poster {
  readonly bytes: Bytes;
  readonly mime: string;
}

/** The picture, or null when this browser can't decode the video or make it small enough. Never rejects. */
export async function makePoster(video: VideoTrack): Promise<Poster | null> {
  try {
    let best: { canvas: OffscreenCanvas; brightness: number } | null = null;
    for (const moment of MOMENTS) {
      const canvas = await video.picture(video.start + (video.end - video.start) * moment, WIDTH);
      if (!canvas) continue;
      const brightness = meanBrightness(canvas);
      if (!best || brightness > best.brightness) best = { canvas, brightness };
      if (brightness >= DARK) break;
    }
    return best && (await compress(best.canvas));
  } catch {
    return null;
  }
}

function meanBrightness(canvas: OffscreenCanvas): number {
  const context = canvas.getContext('2d');
  if (!context) return 0;
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let i = 0; i + 2 < data.length; i += 4) sum += Math.max(data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0);
  return (4 * sum) / Math.max(data.length, 1);
}

async function compress(canvas: OffscreenCanvas): Promise<Poster | null> {
  for (const quality of QUALITIES) {
    // A browser that can't write WebP gives PNG, which says so in its type and is no use here.
    for (const type of ['image/webp', 'image/jpeg']) {
      const blob = await canvas.convertToBlob({ type, quality });
      if (blob.type !== type || blob.size > MAX_BYTES) continue;
      return { bytes: new Uint8Array(await blob.arrayBuffer()), mime: type };
    }
  }
  return null;
}
