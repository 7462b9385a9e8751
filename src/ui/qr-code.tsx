/** A QR code of a text, for another device's camera. The one owner of `uqr`; loaded when it is first shown. */
import type { JSX } from 'solid-js';
import { encode } from 'uqr';
import { qrPath } from './qr-path.ts';

export interface QrCodeProps {
  readonly text: string;
  /** Accessible name. */
  readonly label: string;
}

/** Modules of quiet zone around it (ISO/IEC 18004 §6.3.8). */
const QUIET = 4;

/** Dark on white in every theme: many cameras do not read the inverse. */
export default function QrCode(props: QrCodeProps): JSX.Element {
  // The lowest level of correction makes the largest modules: a screen has no dirt on it.
  const code = () => encode(props.text, { ecc: 'L', border: QUIET });
  return (
    <svg class="qr" role="img" aria-label={props.label} viewBox={`0 0 ${code().size} ${code().size}`} shape-rendering="crispEdges">
      <rect width="100%" height="100%" fill="#fff" />
      <path d={qrPath(code().data)} fill="#000" />
    </svg>
  );
}
