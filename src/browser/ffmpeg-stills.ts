/** Pictures to choose from, and tiles for the seek bar, of videos that this browser can't decode: ffmpeg.wasm decodes key frames of them. */
import { equal } from '../base/bytes.ts';
import { hasCode } from '../base/errors.ts';
import type { MediaProbe, PreviewSheets, StillPicture } from '../base/ports.ts';
import { convertFile } from './ffmpeg.ts';
import { originByFfmpeg } from './ffprobe.ts';
import { drawSheets, tileGrid } from './preview-sheets.ts';
import { compressPicture, STILL_WIDTH, stillHeight } from './still.ts';

/** Where they are from, as parts of the duration. */
const MOMENTS = [0.12, 0.5, 0.85];
const BYTES_A_PIXEL = 4;
/** Seconds by which the last packets of sound reach behind the picture: they need no tile. */
const TAIL = 0.1;

/** Up to three, in the order of the video, no two from one key frame; what can't be decoded is left out. Rejects with `aborted` or `missing-feature`. */
export async function proposeByFfmpeg(
  file: Blob,
  { duration, video }: Pick<MediaProbe, 'duration' | 'video'>,
  signal: AbortSignal,
): Promise<readonly StillPicture[]> {
  const canvas = new OffscreenCanvas(STILL_WIDTH, stillHeight(video && video.height > 0 ? video.width / video.height : 1));
  const context = canvas.getContext('2d');
  const pictures: StillPicture[] = [];
  for (const moment of MOMENTS) {
    const { width, height } = canvas;
    const image = context && (await pictureAt(file, { width, height, seconds: duration * moment }, signal));
    if (!image) continue;
    context.putImageData(image, 0, 0);
    const picture = await compressPicture(canvas);
    if (picture && !pictures.some(({ bytes }) => equal(bytes, picture.bytes))) pictures.push(picture);
  }
  return pictures;
}

/** Key frames from all over the video; null where nothing in it can be decoded. Rejects with `aborted` or `missing-feature`. */
export async function sheetsByFfmpeg(
  file: Blob,
  { duration, video }: Pick<MediaProbe, 'duration' | 'video'>,
  signal: AbortSignal,
): Promise<PreviewSheets | null> {
  if (!video || !(duration > 0)) return null;
  const grid = tileGrid({ duration: Math.max(duration - TAIL, TAIL), width: video.width, height: video.height });
  const { interval, count, width, height } = grid;
  const tile = width * height * BYTES_A_PIXEL;
  // Of each tile's time the last picture up to its middle: `fps` rounds to the nearest.
  const filters = `fps=1000/${interval}:eof_action=pass:start_time=${await originByFfmpeg(file, signal)},scale=${width}:${height},format=rgba`;
  try {
    const pixels = await convertFile(
      file,
      {
        inputArgs: ['-skip_frame', 'nokey', '-threads', '1', '-filter_threads', '1'],
        args: [
          '-map',
          '0:V:0',
          '-frames:v',
          String(count),
          '-fps_mode',
          'passthrough',
          '-vf',
          filters,
          '-c:v',
          'rawvideo',
          '-f',
          'rawvideo',
        ],
        most: count * tile,
      },
      signal,
    );
    const made = Math.floor(pixels.length / tile);
    if (made === 0) return null;
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d');
    async function* tiles() {
      for (let n = 0; n < count; n++) {
        // Behind the last key frame there may be no more.
        const at = Math.min(n, made - 1) * tile;
        context?.putImageData(new ImageData(new Uint8ClampedArray(pixels.subarray(at, at + tile)), width, height), 0, 0);
        yield canvas;
      }
    }
    return await drawSheets(grid, tiles());
  } catch (error) {
    if (hasCode(error, 'unsupported')) return null;
    throw error;
  }
}

/** The last key frame up to there, as pixels: the encoders of small pictures overrun the converter's memory. */
async function pictureAt(
  file: Blob,
  { seconds, width, height }: { seconds: number; width: number; height: number },
  signal: AbortSignal,
): Promise<ImageData | null> {
  const size = `${width}:${height}`;
  const filters = `scale=w=iw*sar:h=ih,scale=${size}:force_original_aspect_ratio=increase,crop=${size},format=rgba`;
  const most = width * height * BYTES_A_PIXEL;
  try {
    const pixels = await convertFile(
      file,
      {
        inputArgs: ['-ss', seconds.toFixed(3), '-noaccurate_seek', '-threads', '1', '-filter_threads', '1'],
        args: ['-map', '0:V:0', '-frames:v', '1', '-fps_mode', 'passthrough', '-vf', filters, '-c:v', 'rawvideo', '-f', 'rawvideo'],
        most,
      },
      signal,
    );
    return pixels.length === most ? new ImageData(new Uint8ClampedArray(pixels), width, height) : null;
  } catch (error) {
    if (hasCode(error, 'unsupported')) return null; // Damaged there, or shorter than it says.
    throw error;
  }
}
