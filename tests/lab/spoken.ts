/** What a page and open nodes said to each other, by kind: as bytes of messages, without what carries them. */
import { decode, type Schema } from '../../src/base/schema.ts';
import { decodeFrame } from '../../src/wire/codec.ts';
import { CALLS, type Frame, methodOf } from '../../src/wire/messages.ts';
import type { MessageNote } from './recorder.ts';

/** Messages of one kind. */
export interface Spoken {
  /** As `sent RELAY FIND_VALUE`, `came answer to PING`. */
  readonly kind: string;
  readonly messages: number;
  readonly bytes: number;
}

/** The kinds, the most bytes first. Calls from before the first message are answered by `?`. */
export function spokenKinds(messages: readonly MessageNote[]): Spoken[] {
  const kinds = new Map<string, { messages: number; bytes: number }>();
  const calls = new Map<string, string>();
  for (const { url, sent, bytes } of messages) {
    const data = Buffer.from(bytes, 'base64');
    const kind = `${sent ? 'sent' : 'came'} ${kindOf(decodeFrame(new Uint8Array(data)), { url, sent, calls })}`;
    const so = kinds.get(kind) ?? { messages: 0, bytes: 0 };
    kinds.set(kind, { messages: so.messages + 1, bytes: so.bytes + data.length });
  }
  return [...kinds].map(([kind, so]) => ({ kind, ...so })).sort((a, b) => b.bytes - a.bytes);
}

function kindOf(frame: Frame | null, { url, sent, calls }: { url: string; sent: boolean; calls: Map<string, string> }): string {
  if (frame === null) return 'malformed';
  switch (frame.type) {
    case 'request': {
      const name = nameOf(frame.method, frame.body);
      calls.set(`${url} ${sent} ${frame.id}`, name);
      return name;
    }
    case 'response':
    case 'failure':
      return `${frame.type} to ${calls.get(`${url} ${!sent} ${frame.id}`) ?? '?'}`;
    default:
      return frame.type;
  }
}

/** A relayed call goes by what it carries. */
function nameOf(method: number, body: Uint8Array): string {
  const name = methodOf(method) ?? String(method);
  if (name !== 'RELAY') return name;
  const relayed = decode(CALLS.RELAY.request as Schema<{ method: number; body: Uint8Array }>, body);
  return relayed ? `RELAY ${nameOf(relayed.method, relayed.body)}` : name;
}
