/** In which cell a segment lies, for a conversion that goes on: told by the times of all pictures before it, which need not be decoded. */

import { fail } from '../base/errors.ts';
import { withFfmpeg } from './ffmpeg.ts';
import { cellAt } from './grid-cutter.ts';

/** Columns of ffmpeg's `framecrc` format, and the line that tells the unit of its times. */
const DECODED = 1;
const SHOWN = 2;
/** What it prints for a time that the file does not tell: AVI and MPEG program streams know only when pictures are decoded. */
const UNTOLD = -9e18;
const TIME_BASE = /^#tb 0: (\d+)\/(\d+)$/;

/** The cell of the segment with this number; null where there are not so many. `origin` as in `timelineByFfmpeg`. Rejects as `convertFrom`. */
export async function cellOfSegment(
  file: Blob,
  { segment, origin }: { segment: number; origin: number },
  signal: AbortSignal,
): Promise<number | null> {
  if (segment === 0) return 0;
  const args = ['-map', '0:V:0', '-c', 'copy', '-f', 'framecrc'];
  return withFfmpeg({ type: 'run', file, args }, signal, async (next) => {
    const decoder = new TextDecoder();
    const cells = new Set<number>();
    let unit = 0;
    let rest = '';
    let isThere = false;
    let isTold = false;
    for (let reply = await next(); reply.type !== 'finished'; reply = await next()) {
      if (reply.type !== 'chunk') continue;
      const lines = (rest + decoder.decode(reply.bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [, over = 0, under = 1] = (TIME_BASE.exec(line) ?? []).map(Number);
        if (over > 0) unit = over / under;
        if (line.startsWith('#')) continue;
        const columns = line.split(',').map(Number);
        const told = [SHOWN, DECODED].map((column) => columns[column] ?? Number.NaN).find((ticks) => ticks > UNTOLD);
        isTold ||= told !== undefined;
        isThere = true;
        const time = (told ?? Number.NaN) * unit - origin;
        if (time > -1) cells.add(Math.max(cellAt(time), 0));
      }
      const sorted = [...cells].sort((a, b) => a - b);
      // Pictures are not told in the order of showing: those of a cell more have come by then.
      if (sorted.length > segment + 2) return sorted[segment] as number;
    }
    if (isThere && !isTold)
      throw fail('unsupported', 'The file does not say when its pictures are shown: it can’t be gone on with from its middle.');
    return [...cells].sort((a, b) => a - b)[segment] ?? null;
  });
}
