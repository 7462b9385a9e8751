/** A QR code of a text, for another device's camera. Loaded when it is first shown. */
import { createMemo, type JSX } from 'solid-js';
import { qrOf } from './qr.ts';

export interface QrCodeProps {
  readonly text: string;
  /** Accessible name. */
  readonly label: string;
}

/** Dark on white in every theme: many cameras do not read the inverse. */
export default function QrCode(props: QrCodeProps): JSX.Element {
  const code = createMemo(() => qrOf(props.text));
  return (
    <svg class="qr" role="img" aria-label={props.label} viewBox={`0 0 ${code().size} ${code().size}`} shape-rendering="crispEdges">
      <rect width="100%" height="100%" fill="#fff" />
      <path d={code().path} fill="#000" />
    </svg>
  );
}
