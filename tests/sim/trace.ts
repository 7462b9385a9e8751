/** A hash of what happened, number by number: two runs with the same one did the same. */
import { createHash } from 'node:crypto';

export interface Trace {
  add(time: number, host: number, length: number): void;
  /** Hex, of all so far. Adding goes on afterwards. */
  digest(): string;
}

/** Numbers hashed at once, 64 KiB of them: a hash's fixed cost would else be most of the cost of a message. */
const NUMBERS = 8192;

export function createTrace(): Trace {
  const hash = createHash('sha256');
  const numbers = new Float64Array(NUMBERS);
  let used = 0;
  return {
    add(time, host, length) {
      if (used + 3 > NUMBERS) {
        hash.update(numbers.subarray(0, used));
        used = 0;
      }
      numbers[used++] = time;
      numbers[used++] = host;
      numbers[used++] = length;
    },
    digest: () => hash.copy().update(numbers.subarray(0, used)).digest('hex'),
  };
}
