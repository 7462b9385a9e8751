/** Tiles for a seek bar: key frames of a video, small, side by side on JPEG sheets. */
import type { Bytes } from '../base/bytes.ts';
import type { PreviewSheets } from '../base/ports.ts';
import type { VideoTrack } from './media-file.ts';

/** Pixels of the longer side of a tile: what stands over a seek bar. */
const TILE = 160;
const COLUMNS = 10;
const ROWS = 10;
const QUALITY = 0.6;
/** Seconds between two tiles at least, and what a sheet's worth of them is stretched to before there is a second sheet. */
const LEAST_INTERVAL = 2;
const USUAL_INTERVAL = 10;
const MOST_TILES = 300;

/** Seconds between the tiles of a video that lasts so long: one sheet up to 1,000 s, three at most. */
export function tileInterval(duration: number): number {
  return Math.max(LEAST_INTERVAL, Math.min(duration / (COLUMNS * ROWS), USUAL_INTERVAL), duration / MOST_TILES);
}

/** How many tiles a video gets, how large, and how far apart. */
export interface TileGrid {
  /** Milliseconds. */
  readonly interval: number;
  readonly count: number;
  /** Pixels of one. */
  readonly width: number;
  readonly height: number;
}

/** `duration` in seconds; the size of the video's picture. */
export function tileGrid({
  duration,
  width,
  height,
}: {
  readonly duration: number;
  readonly width: number;
  readonly height: number;
}): TileGrid {
  const interval = Math.ceil(1000 * tileInterval(duration));
  const scale = TILE / Math.max(width, height, 1);
  return {
    interval,
    count: Math.max(1, Math.ceil((1000 * duration) / interval)),
    width: evenSide(width * scale),
    height: evenSide(height * scale),
  };
}

/** `origin`: the second of the track that is 0 for a player. Rejects when this browser can't decode the track. */
export async function makeSheets(video: VideoTrack, origin: number): Promise<PreviewSheets> {
  const { width, height } = video;
  const grid = tileGrid({ duration: video.end - origin, width, height });
  // A tile stands for all of its time, so it shows the middle of it.
  const times = Array.from({ length: grid.count }, (_, n) => origin + ((n + 0.5) * grid.interval) / 1000);
  return drawSheets(grid, video.keyPictures(times, { width: grid.width, height: grid.height }));
}

/** Puts tiles side by side, as many as come. */
export async function drawSheets(grid: TileGrid, tiles: AsyncIterable<OffscreenCanvas>): Promise<PreviewSheets> {
  const { interval, count, width, height } = grid;
  const sheets: Bytes[] = [];
  let sheet: OffscreenCanvas | null = null;
  let drawn = 0;
  const finish = async (): Promise<void> => {
    if (!sheet) return;
    const blob = await sheet.convertToBlob({ type: 'image/jpeg', quality: QUALITY });
    sheets.push(new Uint8Array(await blob.arrayBuffer()));
    sheet = null;
  };
  for await (const picture of tiles) {
    const place = drawn % (COLUMNS * ROWS);
    if (place === 0) {
      await finish();
      const rows = Math.ceil(Math.min(count - drawn, COLUMNS * ROWS) / COLUMNS);
      sheet = new OffscreenCanvas(COLUMNS * width, rows * height);
    }
    sheet?.getContext('2d')?.drawImage(picture, (place % COLUMNS) * width, Math.floor(place / COLUMNS) * height);
    drawn++;
  }
  await finish();
  return { interval, count: drawn, columns: COLUMNS, rows: ROWS, width, height, sheets };
}

function evenSide(pixels: number): number {
  return Math.max(2, 2 * Math.round(pixels / 2));
}
