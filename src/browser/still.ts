/** One small picture, out of a canvas or out of a person's picture file. */
import { fail } from '../base/errors.ts';
import type { StillPicture } from '../base/ports.ts';

/** Pixels: twice the width of a card on a phone's screen. */
export const STILL_WIDTH = 320;
/** Bytes: a value of the network with room to spare. */
const MAX_BYTES = 11 * 1024;
const QUALITIES = [0.82, 0.7, 0.55, 0.4, 0.25, 0.1];
/** Width over height of a picture at most, and at least: a card shows no more of it. */
const WIDEST = 3;
const TALLEST = 1 / 2;

/** Pixels of a still's height for a picture of this aspect (width over height). */
export function stillHeight(aspect: number): number {
  return Math.round(STILL_WIDTH / Math.min(Math.max(aspect, TALLEST), WIDEST));
}

/** The canvas as the best picture that is small enough; null when there is none. */
export async function compressPicture(canvas: OffscreenCanvas): Promise<StillPicture | null> {
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

/** The middle of a picture file, cut to `aspect` (width over height). Rejects with `unsupported` when it is none, or can't be made small enough. */
export async function stillOfFile(file: Blob, aspect: number): Promise<StillPicture> {
  const image = await createImageBitmap(file).catch((error: unknown) => {
    throw fail('unsupported', 'This browser can’t read it as a picture. Choose a JPEG, PNG or WebP file.', error);
  });
  try {
    const canvas = new OffscreenCanvas(STILL_WIDTH, stillHeight(aspect));
    const context = canvas.getContext('2d');
    if (!context) throw fail('missing-feature', 'This browser can’t draw the picture.');
    context.imageSmoothingQuality = 'high';
    const scale = Math.max(canvas.width / image.width, canvas.height / image.height);
    const [width, height] = [image.width * scale, image.height * scale];
    // What is see-through in a PNG would be black.
    context.fillStyle = 'white';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
    const picture = await compressPicture(canvas);
    if (!picture) throw fail('unsupported', 'The picture can’t be made small enough. Choose a simpler one.');
    return picture;
  } finally {
    image.close();
  }
}
