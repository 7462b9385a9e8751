/** A media worker's way out: events as they come, and segments no faster than the page takes them. */
import type { CutEvent } from '../base/ports.ts';
import { type CutReply, SEGMENTS_AHEAD } from './media-protocol.ts';

export interface SegmentOutlet {
  reply(message: CutReply): void;
  /** `transfer` is empty here afterwards. */
  emit(event: CutEvent, transfer?: Transferable[]): void;
  /** Waits until the page has room for one more segment, and sends it. Its bytes are empty here afterwards. */
  segment(segment: Omit<CutEvent & { type: 'segment' }, 'type'>): Promise<void>;
  /** The page has taken a segment. */
  credit(): void;
}

/** An outlet that sends by `post`. */
export function createOutlet(post: (reply: CutReply, transfer: Transferable[]) => void): SegmentOutlet {
  let credit = SEGMENTS_AHEAD;
  const waiting: (() => void)[] = [];
  const emit = (event: CutEvent, transfer: Transferable[] = []): void => post({ type: 'event', event }, transfer);
  return {
    reply: (message) => post(message, []),
    emit,
    async segment(segment) {
      while (credit === 0) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
      }
      credit--;
      emit({ type: 'segment', ...segment }, [segment.bytes.buffer]);
    },
    credit() {
      credit++;
      waiting.shift()?.();
    },
  };
}
