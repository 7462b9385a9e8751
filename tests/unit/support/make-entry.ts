import { type Bytes, fromUtf8 } from '../../../src/base/bytes.ts';
import { encode } from '../../../src/base/schema.ts';
import { type Key, parseKey } from '../../../src/kademlia/key.ts';
import { entryBodySchema, openEntry, type SignedEntry } from '../../../src/records/entry.ts';

/** An entry by writer number `writer`; its signature is 64 zeros. */
export function makeEntry(parts: { writer: number; name: string; time: number; expires?: number; value?: string }): SignedEntry {
  const writer = new Uint8Array(32);
  new DataView(writer.buffer).setUint32(0, parts.writer);
  const body = {
    topic: parseKey('ab'.repeat(20)) as Key,
    writer,
    name: parts.name,
    time: parts.time,
    expires: parts.expires ?? parts.time + 3_600_000,
    value: fromUtf8(parts.value ?? '') as Bytes,
  };
  return openEntry({ body: encode(entryBodySchema, body), signature: new Uint8Array(64) }) as SignedEntry;
}
