/** Plays a video whose quality changes with every segment, as on a network that is never the same. */
import Hls, { type FragChangedData, type FragLoadedData } from 'hls.js';

export interface Switched {
  /** Of each segment of the picture, in order: the level that it was first loaded from. */
  readonly levels: readonly number[];
  /** What was shown, `width×height`, each once, in the order of the first showing. */
  readonly sizes: readonly string[];
  /** Levels as they came on the screen. */
  readonly shown: readonly number[];
  /** When everything was loaded, before anything was played (seconds). */
  readonly buffered: readonly (readonly [start: number, end: number])[];
  /** Whatever hls.js or the video complained about, fatal or not. */
  readonly complaints: readonly string[];
  /** Seconds that were played. */
  readonly played: number;
}

/** So much faster than it was filmed: what stalls, stalls at this speed too. */
const SPEED = 4;

/** Loads segment n from level `order[n]`, round and round, and then plays it from end to end. */
export async function playSwitching(directory: string, order: readonly number[]): Promise<Switched> {
  const video = document.createElement('video');
  video.muted = true;
  document.body.append(video);
  const levels: number[] = [];
  /** hls.js asks which level comes next when it is about to load; a change at any other moment would meet a segment that is on its way. */
  class InOrder extends Hls.DefaultConfig.abrController {
    override get nextAutoLevel(): number {
      return order[levels.length % order.length] ?? 0;
    }
    override set nextAutoLevel(_: number) {}
  }
  const hls = new Hls({ enableWorker: false, abrController: InOrder, maxBufferLength: 600, maxMaxBufferLength: 600 });
  const complaints: string[] = [];
  const shown: number[] = [];
  const sizes = new Set<string>();
  try {
    hls.on(Hls.Events.ERROR, (_, data) => complaints.push(`hls.js: ${data.details}`));
    video.addEventListener('error', () => complaints.push(`video: ${video.error?.message}`));
    video.addEventListener('resize', () => sizes.add(`${video.videoWidth}×${video.videoHeight}`));
    hls.on(Hls.Events.FRAG_CHANGED, (_, { frag }: FragChangedData) => shown.push(frag.level));
    await new Promise<void>((resolve) => {
      hls.on(Hls.Events.FRAG_LOADED, (_, { frag }: FragLoadedData) => {
        // One that ends where another level's ends but for 5e-15 s, as the durations add up, is loaded a second time.
        if (frag.type === 'main' && typeof frag.sn === 'number') levels[frag.sn] ??= frag.level;
      });
      hls.on(Hls.Events.BUFFERED_TO_END, () => resolve());
      hls.loadSource(`/out/${directory}/master.m3u8`);
      hls.attachMedia(video);
    });
    const buffered = Array.from({ length: video.buffered.length }, (_, n) => [video.buffered.start(n), video.buffered.end(n)] as const);
    video.playbackRate = SPEED;
    const ended = new Promise<void>((resolve) => {
      video.addEventListener('ended', () => resolve(), { once: true });
      video.addEventListener('error', () => resolve(), { once: true });
    });
    await video.play();
    await ended;
    return { levels, sizes: [...sizes], shown, buffered, complaints, played: video.currentTime };
  } finally {
    hls.destroy();
    video.remove();
  }
}
