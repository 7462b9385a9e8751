import { type Bytes, fromUtf8 } from '../../../src/base/bytes.ts';
import { encode } from '../../../src/base/schema.ts';
import { openRecord, type RecordBody, recordBodySchema, type SignedRecord } from '../../../src/records/record.ts';
import type { VectorClock } from '../../../src/records/vector-clock.ts';

/** A record with any clock and time, for tests of what becomes of them; its signature is 64 zeros. */
export function makeRecord(parts: { clock: VectorClock; time: number; value: string } & Partial<Omit<RecordBody, 'value'>>): SignedRecord {
  const body: RecordBody = { owner: new Uint8Array(32).fill(1), name: 'n', ...parts, value: fromUtf8(parts.value) as Bytes };
  return openRecord({ body: encode(recordBodySchema, body), signature: new Uint8Array(64) }) as SignedRecord;
}
