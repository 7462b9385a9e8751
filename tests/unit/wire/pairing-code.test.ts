/** The texts that two people send each other (docs/protocol.md, rules I). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNodeCrypto } from '../../../signal-server/crypto.ts';
import { fromBase64url, toBase64url } from '../../../src/base/base64url.ts';
import { type Bytes, concat } from '../../../src/base/bytes.ts';
import type { Candidate, Endpoint } from '../../../src/base/ports.ts';
import { type Key, keyOf } from '../../../src/kademlia/key.ts';
import { type PairingCode, readPairingCode, writePairingCode } from '../../../src/wire/pairing-code.ts';
import { HOME, makeEndpoint } from '../support/make-endpoint.ts';

const crypto = createNodeCrypto();
const NODE = '3fa9c04e5b7d21886ac0ffee1234567890abcdef' as Key;
const SESSION = Uint8Array.of(1, 2, 3, 4);
const invitation = (endpoint: Endpoint = makeEndpoint()): PairingCode => ({ kind: 'invitation', node: NODE, endpoint, to: null });
const reply = (endpoint: Endpoint = makeEndpoint()): PairingCode => ({ kind: 'reply', node: NODE, endpoint, to: SESSION });
const write = (code: PairingCode): string => writePairingCode(crypto, code).text;
const read = (text: string) => readPairingCode(crypto, text);
/** A code with these bytes before a checksum that is right. */
const sealed = (body: Bytes): string => toBase64url(concat(body, crypto.hash(body).subarray(0, 4)));
const bodyOf = (text: string): Bytes => (fromBase64url(text) as Bytes).slice(0, -4);

const bytes = (length: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((one) => new Uint8Array(one));
const ice = (least: number): fc.Arbitrary<string> =>
  fc.string({
    unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'),
    minLength: least,
    maxLength: least + 15,
  });
const candidate: fc.Arbitrary<Candidate> = fc
  .tuple(
    fc.constantFrom('host' as const, 'srflx' as const, 'relay' as const),
    fc.constantFrom('udp' as const, 'tcp' as const),
    fc.oneof(
      fc
        .tuple(fc.integer({ min: 1, max: 223 }), bytes(3))
        .map(([first, rest]) => ({ family: 'ipv4' as const, address: concat(Uint8Array.of(first), rest) })),
      fc
        .tuple(fc.integer({ min: 1, max: 254 }), bytes(15))
        .map(([first, rest]) => ({ family: 'ipv6' as const, address: concat(Uint8Array.of(first), rest) })),
      bytes(16).map((address) => ({ family: 'mdns' as const, address })),
    ),
    fc.integer({ min: 1, max: 65_535 }),
  )
  .map(([kind, protocol, at, port]) => ({ kind, protocol, ...at, port }));
const codes: fc.Arbitrary<PairingCode> = fc
  .tuple(
    fc.record({
      user: ice(4),
      password: ice(22),
      fingerprint: bytes(32),
      candidates: fc.array(candidate, { minLength: 1, maxLength: 8 }),
    }),
    bytes(20),
    fc.option(bytes(4)),
  )
  .map(([endpoint, node, to]) => ({ kind: to ? 'reply' : 'invitation', node: keyOf(node), endpoint, to }));

describe('[I1] a code', () => {
  test('is read as it was written, with the session that its writer knows', () => {
    fc.assert(
      fc.property(codes, (code) => {
        const { text, session } = writePairingCode(crypto, code);
        expect(read(text)).toEqual({ outcome: 'read', code, session });
      }),
    );
  });

  test('has the text that it had before', () => {
    expect(write(invitation())).toBe(GOLDEN.invitation);
    expect(write(reply())).toBe(GOLDEN.reply);
    expect(read(GOLDEN.invitation)).toMatchObject({ code: invitation() });
    expect(read(GOLDEN.reply)).toMatchObject({ code: reply() });
  });

  test('is short: Chromium’s with two and with three candidates, and Firefox’s', () => {
    const third: Candidate = { ...(HOME[0] as Candidate), port: 4 };
    const ofChromium = makeEndpoint({ candidates: [...HOME, third] });
    const ofFirefox = makeEndpoint({ user: '0123abcd', password: '0123456789abcdef'.repeat(2) });
    const lengths = [makeEndpoint(), ofChromium, ofFirefox].map((one) => [write(invitation(one)).length, write(reply(one)).length]);
    expect(lengths).toEqual([
      [140, 146],
      [166, 171],
      [152, 158],
    ]);
  });

  test('survives what messengers do to long words', () => {
    const text = write(reply());
    expect(read(` ${text.slice(0, 40)}\r\n${text.slice(40, 90)} \t${text.slice(90)}\n`).outcome).toBe('read');
  });
});

describe('[I2] what is damaged', () => {
  test('one wrong character, two that changed places, and a code that was cut are told as such', () => {
    fc.assert(
      fc.property(codes, fc.nat(), fc.nat({ max: 62 }), (code, where, other) => {
        const text = write(code);
        const at = where % text.length;
        const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].filter((one) => one !== text[at]);
        expect(read(text.slice(0, at) + alphabet[other] + text.slice(at + 1))).toEqual({ outcome: 'damaged' });
        expect(read(text.slice(0, at))).toEqual({ outcome: 'damaged' });
        const swapped =
          text.slice(0, at) +
          text
            .slice(at, at + 2)
            .split('')
            .reverse()
            .join('') +
          text.slice(at + 2);
        if (swapped !== text) expect(read(swapped)).toEqual({ outcome: 'damaged' });
      }),
    );
  });

  test('no text at all is thrown at', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 600 }), (text) => {
        expect(read(text).outcome).toBe('damaged');
      }),
    );
    expect(read('A'.repeat(100_000)).outcome).toBe('damaged');
  });

  test('a body that somebody made with a good checksum is read only if a browser can have said it', () => {
    fc.assert(
      fc.property(
        codes,
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }),
        fc.nat({ max: 3 }),
        (code, changes, cut) => {
          const body = bodyOf(write(code));
          for (const [where, byte] of changes) body[where % body.length] = byte;
          const text = sealed(body.slice(0, body.length - cut));
          const result = read(text);
          // What is taken is written back the same: there are no two texts for one code.
          if (result.outcome === 'read') expect(write(result.code)).toBe(text);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each<[string, Partial<Candidate>]>([
    ['no port', { port: 0 }],
    ['the unspecified address', { family: 'ipv4', address: Uint8Array.of(0, 0, 0, 0) }],
    ['a multicast address', { family: 'ipv4', address: Uint8Array.of(224, 0, 0, 251) }],
    ['the broadcast address', { family: 'ipv4', address: Uint8Array.of(255, 255, 255, 255) }],
    ['IPv6’s unspecified address', { family: 'ipv6', address: new Uint8Array(16) }],
    ['IPv6’s multicast', { family: 'ipv6', address: new Uint8Array(16).fill(0xff) }],
  ])('%s is not written, and not read', (_, wrong) => {
    const sound = {
      ...(HOME[1] as Candidate),
      ...(wrong.address && { family: wrong.family as 'ipv4', address: wrong.address.map(() => 7) }),
    };
    expect(() => write(invitation(makeEndpoint({ candidates: [{ ...sound, ...wrong }] })))).toThrow();
    const body = bodyOf(write(invitation(makeEndpoint({ candidates: [sound] }))));
    const tail = concat(
      wrong.address ?? sound.address,
      wrong.port === 0 ? Uint8Array.of(0, 0) : Uint8Array.of(sound.port >> 8, sound.port & 255),
    );
    body.set(tail, body.length - tail.length);
    expect(read(sealed(body)).outcome).toBe('damaged');
  });

  test('nine candidates, or none, are too many and too few', () => {
    const nine = Array.from({ length: 9 }, () => HOME[1] as Candidate);
    expect(() => write(invitation(makeEndpoint({ candidates: nine })))).toThrow();
    expect(() => write(invitation(makeEndpoint({ candidates: [] })))).toThrow();
    const body = bodyOf(write(invitation(makeEndpoint({ candidates: nine.slice(1) }))));
    expect(read(sealed(body)).outcome).toBe('read');
    expect(read(sealed(concat(body, body.subarray(-7)))).outcome).toBe('damaged');
    expect(read(sealed(body.slice(0, -7 * 8))).outcome).toBe('damaged');
  });

  test('another version is told apart from damage', () => {
    const body = bodyOf(write(invitation()));
    body[0] = (2 << 4) | 0;
    expect(read(sealed(body))).toEqual({ outcome: 'foreign' });
  });
});

const GOLDEN = {
  invitation:
    'ED-pwE5bfSGIasD_7hI0VniQq83voKGio6SlpqeoqaqrrK2ur7CxsrO0tba3uLm6u7y9vr8CvNE-uHY4lFTBekuTaGoVBg3ndNO_CAECAwQFBgcICQoLDA0ODxDLwwHLAHEH7kjeXalx',
  reply:
    'EQECAwQ_qcBOW30hiGrA_-4SNFZ4kKvN76ChoqOkpaanqKmqq6ytrq-wsbKztLW2t7i5uru8vb6_ArzRPrh2OJRUwXpLk2hqFQYN53TTvwgBAgMEBQYHCAkKCwwNDg8Qy8MBywBxB-5IjcqoWQ',
};
