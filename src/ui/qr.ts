/** QR codes as drawings. Pure; the one owner of `uqr`. */
import { encode } from 'uqr';

export interface Qr {
  /** Modules on a side, the quiet zone included. */
  readonly size: number;
  /** 1 to 40: it has 17 + 4 × version modules on a side. */
  readonly version: number;
  /** The dark modules as one SVG path, in modules. */
  readonly path: string;
}

/** Modules of quiet zone around it (ISO/IEC 18004 §6.3.8). */
const QUIET = 4;

/** The QR code of a text. The lowest level of correction makes the largest modules, and a screen has no dirt on it. */
export function qrOf(text: string): Qr {
  const { size, version, data } = encode(text, { ecc: 'L', border: QUIET });
  return { size, version, path: data.map(rowPath).join('') };
}

/** A rectangle for each run of dark modules. */
function rowPath(row: readonly boolean[], y: number): string {
  let path = '';
  for (let x = 0; x < row.length; x++) {
    if (!row[x]) continue;
    const from = x;
    while (row[x + 1]) x++;
    path += `M${from} ${y}h${x + 1 - from}v1H${from}z`;
  }
  return path;
}
