/** Pieces of a conversion on their way into a worker: taken in their order, each once. */

export interface PieceQueue {
  /** Null is the end. */
  push(piece: Blob | null): void;
  /** To be read once. */
  readonly pieces: AsyncIterable<Blob>;
}

export function createPieceQueue(): PieceQueue {
  const waiting: (Blob | null)[] = [];
  let wake: (() => void) | null = null;
  async function* each(): AsyncGenerator<Blob> {
    for (;;) {
      const piece = waiting.shift();
      if (piece === null) return;
      if (piece) yield piece;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }
  return {
    push(piece) {
      waiting.push(piece);
      wake?.();
    },
    pieces: each(),
  };
}
