/** Single pictures of a video, drawn small, with no more memory than they take. */
import { fail } from '../base/errors.ts';

/** Points that are taken of the whole picture for each one of the small one, across and down. */
const POINTS = 4;
const CHANNELS = 4;

/** A key frame, by a decoder of its own: one that goes on is ahead by many pictures, of some megabytes each. Rejects when it can't be decoded. */
export async function decodeOne(chunk: EncodedVideoChunk, config: VideoDecoderConfig): Promise<VideoFrame> {
  const frames: VideoFrame[] = [];
  let failure: DOMException | null = null;
  const decoder = new VideoDecoder({
    output: (frame) => frames.push(frame),
    error: (error) => {
      failure = error;
    },
  });
  try {
    decoder.configure(config);
    decoder.decode(chunk);
    await decoder.flush();
  } finally {
    if (decoder.state !== 'closed') decoder.close();
  }
  const [first, ...others] = frames;
  for (const other of others) other.close();
  if (!first) throw failure ?? fail('unsupported', 'A key frame of the video can’t be decoded.');
  return first;
}

/** Fills the canvas with the picture as it is shown: turned by so many degrees clockwise, and then mirrored. */
export async function drawSmall(
  canvas: OffscreenCanvas,
  frame: VideoFrame,
  { rotation, flip }: { readonly rotation: number; readonly flip: boolean },
): Promise<void> {
  const pen = canvas.getContext('2d');
  if (!pen) throw fail('unsupported', 'This browser has no room for a picture of this size.');
  const [across, down] = rotation % 180 === 0 ? [canvas.width, canvas.height] : [canvas.height, canvas.width];
  const small = await shrink(frame, across, down);
  pen.setTransform(flip ? -1 : 1, 0, 0, 1, canvas.width / 2, canvas.height / 2);
  pen.rotate((rotation * Math.PI) / 180);
  pen.drawImage(small ?? frame, -across / 2, -down / 2, across, down);
  small?.close();
}

/**
 * Of every whole picture that is drawn on a canvas Chromium without a graphics card keeps a copy, up to 512 MB of them: it is made small before. Null
 * where the browser does not give its points in colours, or there are no more of them than are wanted.
 */
async function shrink(frame: VideoFrame, width: number, height: number): Promise<ImageBitmap | null> {
  const { visibleRect } = frame;
  if (!visibleRect || visibleRect.width <= width || visibleRect.height <= height) return null;
  const { width: across, height: down } = visibleRect;
  const pixels = await pointsOf(frame, across * down * CHANNELS);
  if (!pixels) return null;
  const small = new ImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sum = [0, 0, 0];
      for (let n = 0; n < POINTS * POINTS; n++) {
        const column = Math.floor(((x + ((n % POINTS) + 0.5) / POINTS) * across) / width);
        const row = Math.floor(((y + (Math.floor(n / POINTS) + 0.5) / POINTS) * down) / height);
        const at = CHANNELS * (row * across + column);
        for (let channel = 0; channel < sum.length; channel++) sum[channel] = (sum[channel] as number) + (pixels[at + channel] as number);
      }
      const to = CHANNELS * (y * width + x);
      sum.forEach((total, channel) => {
        small.data[to + channel] = total / (POINTS * POINTS);
      });
      small.data[to + 3] = 255;
    }
  }
  return createImageBitmap(small);
}

/** Red, green, blue and something for each point. Browsers that do not know the option would give planes of another size. */
async function pointsOf(frame: VideoFrame, size: number): Promise<Uint8Array | null> {
  const asked: VideoFrameCopyToOptions = { format: 'RGBX' };
  try {
    if (frame.allocationSize(asked) !== size) return null;
    const pixels = new Uint8Array(size);
    await frame.copyTo(pixels, asked);
    return pixels;
  } catch {
    return null; // A format that it can't turn into colours: it can still be drawn.
  }
}
