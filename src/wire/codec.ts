/** Bytes to frame and back. */
import type { Bytes } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { decode, encode } from '../base/schema.ts';
import { type Frame, frameSchema } from './messages.ts';

/** One message. Throws `too-large` or `invalid` for what the protocol does not allow. */
export function encodeFrame(frame: Frame): Bytes {
  return encode(frameSchema, frame);
}

/** The frame, or null for anything that is not exactly one. Never throws and never allocates more than the message. */
export function decodeFrame(message: Uint8Array): Frame | null {
  return message.length > LIMITS.message ? null : decode(frameSchema, message);
}
