/** [F3] Whatever arrives: reading it never throws, ends soon, and takes no more memory than a small multiple of the message. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/limits.ts';
import { decode, type Schema } from '../../src/base/schema.ts';
import { additionsSchema } from '../../src/media/additions.ts';
import { groupDescriptorSchema, manifestSchema, pageSchema } from '../../src/media/manifest.ts';
import { openEntry } from '../../src/records/entry.ts';
import { openRecord } from '../../src/records/record.ts';
import { decodeFrame } from '../../src/wire/codec.ts';
import { letterSchema, signedLetterSchema } from '../../src/wire/letter.ts';
import { CALLS } from '../../src/wire/messages.ts';
import { seededRandom } from '../sim/random.ts';
import { callSamples, encodeSamples } from '../unit/wire/samples.ts';

const encoded = encodeSamples();
const valid = Object.values(encoded).flatMap((samples) => Object.values(samples));
const schemas: readonly Schema<unknown>[] = [
  ...Object.values(CALLS).flatMap(({ request, response }) => [request as Schema<unknown>, response as Schema<unknown>]),
  letterSchema as Schema<unknown>,
  signedLetterSchema as Schema<unknown>,
  groupDescriptorSchema as Schema<unknown>,
  manifestSchema as Schema<unknown>,
  additionsSchema as Schema<unknown>,
  pageSchema as Schema<unknown>,
];
const signature = new Uint8Array(64);

/** Reads the bytes as everything that they could be taken for. Gives how many took them. */
function readAll(bytes: Uint8Array<ArrayBuffer>): number {
  let taken = decodeFrame(bytes) ? 1 : 0;
  for (const schema of schemas) if (decode(schema, bytes) !== null) taken++;
  if (openRecord({ body: bytes, signature })) taken++;
  if (openEntry({ body: bytes, signature })) taken++;
  return taken;
}

const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

describe('[F3] any bytes', () => {
  it('are read or refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        readAll(own(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('that begin as MessagePack does are read or refused, never thrown at', () => {
    const tag = fc.constantFrom(
      0x90,
      0x92,
      0x93,
      0xa1,
      0xbf,
      0xc0,
      0xc1,
      0xc3,
      0xc4,
      0xc5,
      0xc6,
      0xca,
      0xcb,
      0xcf,
      0xd3,
      0xd9,
      0xdb,
      0xdc,
      0xdd,
      0xdf,
      0xff,
    );
    const run = fc.array(fc.oneof({ weight: 3, arbitrary: tag }, { weight: 1, arbitrary: fc.nat(255) }), { maxLength: 200 });
    fc.assert(
      fc.property(run, (codes) => {
        readAll(Uint8Array.from(codes));
      }),
      { numRuns: 3000 },
    );
  });
});

describe('[F3] valid messages', () => {
  it('are taken as they are', () => {
    for (const bytes of valid) expect(readAll(bytes)).toBeGreaterThan(0);
  });

  it('cut short anywhere, or with a byte more, are refused', () => {
    for (const bytes of Object.values(encoded.frames)) {
      for (let length = 0; length < bytes.length; length++) expect(decodeFrame(bytes.subarray(0, length))).toBeNull();
      expect(decodeFrame(new Uint8Array([...bytes, 0]))).toBeNull();
    }
    for (const [name, { schema }] of Object.entries(callSamples())) {
      const bytes = encoded.calls[name] as Uint8Array;
      for (let length = 0; length < bytes.length; length++) expect(decode(schema, bytes.subarray(0, length))).toBeNull();
      expect(decode(schema, new Uint8Array([...bytes, 0xc0]))).toBeNull();
    }
  });

  it('with some bytes changed, moved, doubled or left out are read or refused, never thrown at', () => {
    const edit = fc.record({
      at: fc.nat(),
      byte: fc.nat(255),
      length: fc.nat(20),
      kind: fc.constantFrom('set', 'insert', 'remove', 'double'),
    });
    fc.assert(
      fc.property(fc.constantFrom(...valid), fc.array(edit, { minLength: 1, maxLength: 4 }), (bytes, edits) => {
        let codes = [...bytes];
        for (const { at, byte, length, kind } of edits) {
          const place = at % (codes.length + 1);
          if (kind === 'set') codes[place] = byte;
          else if (kind === 'insert') codes.splice(place, 0, byte);
          else if (kind === 'remove') codes.splice(place, length);
          else codes = [...codes.slice(0, place), ...codes.slice(place, place + length), ...codes.slice(place)];
        }
        readAll(Uint8Array.from(codes));
      }),
      { numRuns: 3000 },
    );
  });

  it('with every single byte set to every tag are read or refused, never thrown at', () => {
    const tags = [
      0x00, 0x7f, 0x80, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xc4, 0xc6, 0xc9, 0xca, 0xcb, 0xcc, 0xcf, 0xd3, 0xd9, 0xdb, 0xdd, 0xdf,
      0xff,
    ];
    for (const bytes of valid) {
      for (let i = 0; i < Math.min(bytes.length, 80); i++) {
        for (const tag of tags) {
          const changed = bytes.slice();
          changed[i] = tag;
          decodeFrame(changed);
          for (const schema of schemas) decode(schema, changed);
        }
      }
    }
  });
});

/** One message of each kind that has brought MessagePack readers down, about `size` bytes long. */
function bombs(size: number): Readonly<Record<string, Uint8Array<ArrayBuffer>>> {
  const repeat = (...unit: number[]): Uint8Array<ArrayBuffer> =>
    Uint8Array.from({ length: size }, (_, i) => unit[i % unit.length] as number);
  const head = (start: readonly number[], rest: Uint8Array): Uint8Array<ArrayBuffer> => {
    const bytes = own(rest);
    bytes.set(start);
    return bytes;
  };
  return {
    'arrays of 1 in arrays of 1': repeat(0x91),
    'arrays of 15 in arrays of 15': repeat(0x9f),
    'arrays of 65,535 in each other': repeat(0xdc, 0xff, 0xff),
    'arrays of 4,294,967,295 in each other': repeat(0xdd, 0xff, 0xff, 0xff, 0xff),
    'maps in maps': repeat(0x81, 0xa0),
    'maps of 4,294,967,295': repeat(0xdf, 0xff, 0xff, 0xff, 0xff),
    'empty arrays': head([0xdd, 0, 0, 0xff, 0xff], repeat(0x90)),
    'empty strings': head([0xdd, 0, 0, 0xff, 0xff], repeat(0xa0)),
    nils: head([0xdc, 0xff, 0xff], repeat(0xc0)),
    'a frame of nested arrays': head([0x92, 0x02], repeat(0x91)),
    'a request with nested arrays for a body': head([0x92, 0x02, 0x93, 0x01, 0x02], repeat(0x91)),
    'items as many as fit': head(
      [0x94, 0x90, 0xc4, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0xdc, 0x02, 0x00],
      repeat(0x92, 0x00, 0x91, 0xc4, 0x00),
    ),
    'a string of 4 GiB': head([0xdb, 0xff, 0xff, 0xff, 0xff], repeat(0x61)),
    'binary of 4 GiB': head([0xc6, 0xff, 0xff, 0xff, 0xff], repeat(0x00)),
    'data of 4 GiB': head([0x92, 0x05, 0x92, 0x01, 0xc6, 0xff, 0xff, 0xff, 0xff], repeat(0x00)),
    'a response of 256 MiB': head([0x92, 0x03, 0x92, 0x01, 0xc6, 0x10, 0x00, 0x00, 0x00], repeat(0x00)),
  };
}

/** Milliseconds for reading one message as all of the 24 things it could be. A reader that falls for a bomb needs seconds to for ever. */
const BOUND = 500;

describe('[F3] bombs', () => {
  for (const size of [3 * 1024, 64 * 1024, LIMITS.message]) {
    for (const [name, bomb] of Object.entries(bombs(size))) {
      it(`${name}, ${size / 1024} KiB, are refused at once`, () => {
        const start = performance.now();
        const taken = readAll(bomb);
        expect(performance.now() - start).toBeLessThan(BOUND);
        if (name !== 'items as many as fit') expect(taken).toBe(0);
      });
    }
  }

  it('of a size that no link takes are not even looked at', () => {
    const frame = encoded.frames.data as Uint8Array;
    const large = new Uint8Array(LIMITS.message + 1);
    large.set(frame);
    expect(decodeFrame(large)).toBeNull();
  });
});

describe('[F3] memory', () => {
  /**
   * Bytes that reading takes from heap and buffers: the median of several tries, as a collection or a compiler's work falls into some of
   * them. What was read is held meanwhile, so that no collection can give it back.
   */
  const cost = (read: () => unknown): number => {
    const held: unknown[] = [];
    const costs: number[] = [];
    for (let round = 0; round < 9; round++) {
      const before = process.memoryUsage();
      held.push(read());
      const after = process.memoryUsage();
      costs.push(after.heapUsed - before.heapUsed + (after.arrayBuffers - before.arrayBuffers));
    }
    return costs.sort((a, b) => a - b)[held.length >> 1] as number;
  };

  it('is measured: a reader that believes a declared length shows', () => {
    expect(cost(() => new Uint8Array(16 * 1024 * 1024))).toBeGreaterThan(15 * 1024 * 1024);
    expect(cost(() => new Array(2_000_000).fill(0))).toBeGreaterThan(8_000_000);
  });

  for (const [name, bomb] of Object.entries(bombs(64 * 1024))) {
    it(`for ${name} is a small multiple of the 64 KiB`, () => {
      expect(cost(() => readAll(bomb))).toBeLessThan(6 * bomb.length);
    });
  }

  it('for a full reply of set entries, which is taken, is a small multiple of it', () => {
    const random = seededRandom(5);
    const entry = Uint8Array.of(0x92, 0x02, 0x91, 0x92, 0xc4, 8, ...random.bytes(8), 0xc4, 64, ...random.bytes(64));
    const header = [0x94, 0x90, 0xc4, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x90, 0xdc, 0x02, 0x00];
    const message = new Uint8Array(header.length + LIMITS.entriesPerTopic * entry.length);
    message.set(header);
    for (let i = 0; i < LIMITS.entriesPerTopic; i++) message.set(entry, header.length + i * entry.length);
    const schema = CALLS.FIND_VALUE.response;
    expect(decode(schema, message)?.items).toHaveLength(LIMITS.entriesPerTopic);
    expect(cost(() => decode(schema, message))).toBeLessThan(12 * message.length);
  });
});
