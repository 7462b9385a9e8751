/** Plays what was cut, as the watch page will: by hls.js on Media Source Extensions. */
import Hls from 'hls.js';

export interface Seen {
  /** Pixels, as the video element says. */
  readonly width: number;
  readonly height: number;
  /** Seconds. */
  readonly duration: number;
  readonly buffered: readonly (readonly [start: number, end: number])[];
  /** Brightness (0 to 255) of the picture at `time`, 8 × 8 points, row by row; empty without a picture. */
  readonly points: readonly number[];
}

const POINTS = 8;
/** Pixels that are averaged for a point, across and down. */
const PIXELS = 20;

export async function play(directory: string, time: number): Promise<Seen> {
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  // A worker made of a blob: is not allowed by the content security policy.
  const hls = new Hls({ enableWorker: false });
  try {
    await new Promise<void>((resolve, reject) => {
      hls.on(Hls.Events.ERROR, (_, data) => data.fatal && reject(new Error(`hls.js: ${data.details}`)));
      video.addEventListener('error', () => reject(new Error(`video: ${video.error?.message}`)));
      video.addEventListener('canplay', () => resolve(), { once: true });
      hls.loadSource(`/out/${directory}/master.m3u8`);
      hls.attachMedia(video);
    });
    await video.play();
    await until(video, 'timeupdate', () => video.currentTime > 0.2);
    video.pause();
    video.currentTime = time;
    await until(video, 'seeked', () => !video.seeking && video.readyState >= 2);
    const buffered = Array.from({ length: video.buffered.length }, (_, n) => [video.buffered.start(n), video.buffered.end(n)] as const);
    const { videoWidth: width, videoHeight: height, duration } = video;
    return { width, height, duration, buffered, points: width > 0 ? brightness(video) : [] };
  } finally {
    hls.destroy();
    video.remove();
  }
}

function until(video: HTMLVideoElement, event: string, condition: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = (): void => {
      if (video.error) reject(new Error(`video: ${video.error.message}`));
      else if (condition()) resolve();
    };
    for (const type of [event, 'canplay', 'error', 'progress']) video.addEventListener(type, check);
    check();
  });
}

function brightness(video: HTMLVideoElement): number[] {
  const side = POINTS * PIXELS;
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d');
  if (!context) return [];
  context.imageSmoothingQuality = 'high';
  context.drawImage(video, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  const sums = new Array<number>(POINTS * POINTS).fill(0);
  for (let pixel = 0; pixel < side * side; pixel++) {
    const [red = 0, green = 0, blue = 0] = data.subarray(4 * pixel, 4 * pixel + 3);
    const point = Math.floor(pixel / side / PIXELS) * POINTS + Math.floor((pixel % side) / PIXELS);
    sums[point] = (sums[point] ?? 0) + 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  return sums.map((sum) => Math.round(sum / PIXELS ** 2));
}
