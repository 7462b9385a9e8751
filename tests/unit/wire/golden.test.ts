/**
 * The bytes of every message of protocol version 3. When one changes, nodes of this version no longer understand each other: raise
 * PROTOCOL_VERSION, then write the files anew with KADREEL_WRITE_GOLDEN=1.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { decode as decodeMsgpack } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { decode } from '../../../src/base/schema.ts';
import { decodeFrame } from '../../../src/wire/codec.ts';
import { CALLS, FAILURES, type Frame, methodOf, PROTOCOL_VERSION } from '../../../src/wire/messages.ts';
import { callSamples, encodeSamples, FRAMES, STORED } from './samples.ts';

const encoded = encodeSamples();
const fileOf = (name: string): URL => new URL(`../../golden/${name}-v${PROTOCOL_VERSION}.json`, import.meta.url);
const inHex = (samples: Readonly<Record<string, Uint8Array>>): Record<string, string> =>
  Object.fromEntries(Object.entries(samples).map(([name, bytes]) => [name, toHex(bytes)]));

if (process.env.KADREEL_WRITE_GOLDEN) {
  for (const [name, samples] of Object.entries(encoded)) writeFileSync(fileOf(name), `${JSON.stringify(inHex(samples), null, 2)}\n`);
}

describe('golden bytes', () => {
  for (const [name, samples] of Object.entries(encoded)) {
    it(`of ${name} are what this version writes`, () => {
      expect(existsSync(fileOf(name))).toBe(true);
      const golden = JSON.parse(readFileSync(fileOf(name), 'utf8')) as Record<string, string>;
      expect(inHex(samples)).toEqual(golden);
    });

    it(`[F1] of ${name} are MessagePack without maps, to an outside reader`, () => {
      const check = (value: unknown): void => {
        if (Array.isArray(value)) for (const item of value) check(item);
        else expect(value === null || value instanceof Uint8Array || ['number', 'string', 'boolean'].includes(typeof value)).toBe(true);
      };
      for (const bytes of Object.values(samples)) check(decodeMsgpack(bytes));
    });
  }

  it('are read as the samples', () => {
    for (const [type, frame] of Object.entries(FRAMES)) expect(decodeFrame(encoded.frames[type] as Uint8Array)).toEqual(frame);
    for (const [name, { schema, value }] of Object.entries(callSamples()))
      expect(decode(schema, encoded.calls[name] as Uint8Array), name).toEqual(value);
    for (const [name, { schema, value }] of Object.entries(STORED))
      expect(decode(schema, encoded.stored[name] as Uint8Array), name).toEqual(value);
  });

  it('cover every frame and both bodies of every call', () => {
    expect(Object.keys(encoded.frames)).toHaveLength(10);
    expect(Object.keys(encoded.calls)).toHaveLength(2 * Object.keys(CALLS).length);
  });
});

describe('numbers on the wire', () => {
  it('[R] name each method once', () => {
    const numbers = Object.values(CALLS).map(({ method }) => method);
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    for (const [name, { method }] of Object.entries(CALLS)) expect(methodOf(method)).toBe(name);
    expect(methodOf(0)).toBeNull();
    expect(methodOf(15)).toBeNull();
  });

  it('[R] name each failure once', () => {
    expect(Object.values(FAILURES)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('are those of the table in docs/protocol.md', () => {
    const text = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
    for (const [name, { method }] of Object.entries(CALLS)) expect(text).toContain(`| ${method} ${name} |`);
    for (const [name, code] of Object.entries(FAILURES)) expect(text).toContain(`| ${code} | \`${name}\` |`);
    for (const [type, bytes] of Object.entries(encoded.frames)) expect(text).toContain(`| ${bytes[1]} | \`${type as Frame['type']}\` |`);
  });
});
