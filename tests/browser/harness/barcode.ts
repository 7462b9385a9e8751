/** Reads the number that each picture of `barcode.mp4` shows. */
import type { Page } from 'playwright-core';

/** Pictures a second of the clip, and columns in each. */
export const BARCODE_RATE = 25;
const COLUMNS = 16;

export interface ShownPicture {
  /** What the pixels say. */
  readonly number: number;
  /** What the player says it shows: the picture's own time, seconds. */
  readonly mediaTime: number;
}

/** The next picture that the player shows. */
export function readPicture(page: Page): Promise<ShownPicture> {
  return page.evaluate(
    (columns) =>
      new Promise<{ number: number; mediaTime: number }>((resolve) => {
        const video = document.querySelector('video') as HTMLVideoElement;
        video.requestVideoFrameCallback((_, { mediaTime }) => {
          const canvas = document.createElement('canvas');
          canvas.width = video.videoWidth;
          canvas.height = video.videoHeight;
          const context = canvas.getContext('2d') as CanvasRenderingContext2D;
          context.drawImage(video, 0, 0);
          let number = 0;
          for (let column = 0; column < columns; column++) {
            const x = Math.floor(((column + 0.5) * canvas.width) / columns);
            const red = context.getImageData(x, canvas.height >> 1, 1, 1).data[0] ?? 0;
            if (red > 127) number += 2 ** column;
          }
          resolve({ number, mediaTime });
        });
      }),
    COLUMNS,
  );
}
