/** The answering half of the calls on one link: each is answered once, and what one neighbour may cost us is bounded. */
import type { Bytes } from '../base/bytes.ts';
import { asKadreelError, fail, type KadreelError } from '../base/errors.ts';
import { CALLS, type Frame } from '../wire/messages.ts';
import { failureCode } from './calls.ts';
import { shorten } from './shorten.ts';
import type { StreamSender } from './streams.ts';

/** Calls of the other side whose work may be under way at once; more are refused. */
const MAX_WORKING = 256;
/** Streams that the other side may have under way at once, and bytes that they may hold in our memory. A player and its copying need 8 or so. */
const MAX_STREAMS = 16;
const MAX_STREAM_BYTES = 32 * 1024 * 1024;
/** Bytes of the reason in `failure`, as the protocol has it. */
const MAX_REASON = 300;

/** A call of the other side, to be answered once. */
export interface ReceivedCall {
  readonly method: number;
  readonly body: Bytes;
  /** Fires when the caller no longer wants it, or the link ended. */
  readonly signal: AbortSignal;
  /** Sends bytes after the answer, as the stream of this call. */
  stream(options: { bytes: Bytes; credit: number; urgency: number }): void;
}

export interface Answering {
  /** False when the request's id is still in use: a defect of the other side. */
  take(request: Extract<Frame, { type: 'request' }>): boolean;
  cancel(id: number): void;
  end(error: KadreelError): void;
}

export function createAnswering(options: {
  sender: StreamSender;
  send: (frame: Frame) => void;
  /** Answers a call: the body of the response, or a rejection with the reason. */
  serve: (call: ReceivedCall) => Promise<Bytes>;
}): Answering {
  const { sender, send } = options;
  /** Calls that the other side still waits for. */
  const waiting = new Map<number, AbortController>();
  /** Calls whose work has not ended, cancelled ones included; and those of them that will open a stream. */
  let working = 0;
  let opening = 0;

  /** Why a call is not even looked at, or null. */
  const overload = (method: number): string | null => {
    if (working >= MAX_WORKING) return 'too many calls at once';
    if (method !== CALLS.FETCH.method) return null;
    return opening + sender.active >= MAX_STREAMS || sender.held >= MAX_STREAM_BYTES ? 'too many transfers at once' : null;
  };

  return {
    take({ id, method, body }) {
      if (waiting.has(id)) return false;
      const refusal = overload(method);
      if (refusal) {
        send(failure(id, fail('refused', refusal)));
        return true;
      }
      const controller = new AbortController();
      const streams = method === CALLS.FETCH.method ? 1 : 0;
      waiting.set(id, controller);
      working++;
      opening += streams;
      let bulk: Parameters<ReceivedCall['stream']>[0] | null = null;
      const answer = (frame: Frame): void => {
        working--;
        opening -= streams;
        if (controller.signal.aborted) return;
        waiting.delete(id);
        send(frame);
        if (frame.type === 'response' && bulk) sender.open({ id, ...bulk });
      };
      const stream: ReceivedCall['stream'] = (wanted) => {
        bulk = wanted;
      };
      options.serve({ method, body, signal: controller.signal, stream }).then(
        (response) => answer({ type: 'response', id, body: response }),
        (error: unknown) => answer(failure(id, asKadreelError(error))),
      );
      return true;
    },
    cancel(id) {
      waiting.get(id)?.abort(CANCELLED);
      waiting.delete(id);
      sender.cancel(id);
    },
    end(error) {
      for (const controller of waiting.values()) controller.abort(error);
      waiting.clear();
    },
  };
}

/** Made once: cancelling is what a caller does most when it has what it wants. */
const CANCELLED = fail('aborted', 'The caller cancelled.');

function failure(id: number, error: KadreelError): Frame {
  return { type: 'failure', id, code: failureCode(error), reason: shorten(error.message, MAX_REASON) };
}
