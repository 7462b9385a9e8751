/** STUN on the wire: the sample messages of RFC 5769, and what must not be answered. */
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Message, parseMessage } from 'werift-ice';
import { answerBinding, readBindingRequest, refuseBinding } from '../../../signal-server/stun-message.ts';
import { fromHex } from '../../../src/base/bytes.ts';

const bytes = (text: string): Uint8Array => fromHex(text.replace(/\s/g, '')) as Uint8Array;

/** RFC 5769 §2.1: SOFTWARE, PRIORITY, ICE-CONTROLLED, USERNAME, MESSAGE-INTEGRITY, FINGERPRINT. */
const SAMPLE_REQUEST = bytes(`
  00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff 80290008 932ff9b1
  51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf`);
/** §2.4: USERNAME, NONCE, REALM and MESSAGE-INTEGRITY, without a fingerprint. */
const LONG_TERM_REQUEST = bytes(`
  00010060 2112a442 78ad3433 c6ad72c0 29da412e 00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000 0015001c 662f2f34 39396b39 35346436
  4f4c3334 6f4c3946 53547679 36347341 0014000b 6578616d 706c652e 6f726700 00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666`);
/** The transaction of §2.1 to §2.3, and the values of XOR-MAPPED-ADDRESS in the answers. */
const TRANSACTION = bytes('2112a442 b7e7a701 bc34d686 fa87dfae');
const MAPPED_IPV4 = bytes('00200008 0001a147 e112a643');
const MAPPED_IPV6 = bytes('00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9');
const plain = (attributes = ''): Uint8Array => {
  const body = bytes(attributes);
  return Uint8Array.of(0, 1, 0, body.length, ...TRANSACTION, ...body);
};
const from = { address: '192.0.2.1', port: 32853 };

describe('a binding request', () => {
  test('is read as in RFC 5769 §2.1 and §2.4', () => {
    expect(readBindingRequest(SAMPLE_REQUEST)).toEqual({ transaction: TRANSACTION, fingerprint: true, unknown: [0x24] });
    expect(readBindingRequest(LONG_TERM_REQUEST)).toMatchObject({ fingerprint: false, unknown: [] });
    expect(readBindingRequest(plain())).toEqual({ transaction: TRANSACTION, fingerprint: false, unknown: [] });
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['less than a header', plain().subarray(0, 16)],
    ['a length that is not what came', Uint8Array.of(0, 1, 0, 4, ...TRANSACTION)],
    ['a length that is no multiple of 4', Uint8Array.of(0, 1, 0, 2, ...TRANSACTION, 0, 0)],
    ['another cookie (RFC 3489)', Uint8Array.of(0, 1, 0, 0, 0, ...TRANSACTION.subarray(1))],
    [
      'an answer: two responders would answer each other for ever',
      answerBinding({ transaction: new Uint8Array(TRANSACTION), fingerprint: false, unknown: [] }, from),
    ],
    ['an indication', Uint8Array.of(0, 0x11, 0, 0, ...TRANSACTION)],
    ['a TURN allocation', Uint8Array.of(0, 3, 0, 0, ...TRANSACTION)],
    ['an attribute longer than the message', plain('8022 0008 00000000')],
    ['a wrong fingerprint', SAMPLE_REQUEST.with(SAMPLE_REQUEST.length - 1, 0)],
    ['a changed byte under the fingerprint', SAMPLE_REQUEST.with(30, 0)],
    ['something after the fingerprint', Uint8Array.of(0, 1, 0, 92, ...SAMPLE_REQUEST.subarray(4), 0x80, 0x22, 0, 0)],
    ['more than 548 bytes', Uint8Array.of(0, 1, 2, 20, ...TRANSACTION, 0x80, 0x22, 2, 16, ...new Uint8Array(528))],
  ])('is not: %s', (_, datagram) => {
    expect(readBindingRequest(datagram)).toBeNull();
  });

  test('random bytes and cut or changed requests never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(107), fc.nat(255), (random, at, value) => {
        readBindingRequest(random);
        readBindingRequest(SAMPLE_REQUEST.subarray(0, at));
        readBindingRequest(SAMPLE_REQUEST.with(at, value));
        readBindingRequest(Uint8Array.of(0, 1, 0, random.length & 0xff, ...TRANSACTION, ...random));
      }),
    );
  });
});

describe('the answer', () => {
  const request = { transaction: new Uint8Array(TRANSACTION), fingerprint: false, unknown: [] };

  test('names the sender as in RFC 5769 §2.2 and §2.3, in 32 and 44 bytes', () => {
    expect(answerBinding(request, from)).toEqual(Uint8Array.of(1, 1, 0, 12, ...TRANSACTION, ...MAPPED_IPV4));
    const sender = { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32853 };
    expect(answerBinding(request, sender)).toEqual(Uint8Array.of(1, 1, 0, 24, ...TRANSACTION, ...MAPPED_IPV6));
  });

  test('has a fingerprint when the request had one, made as that of §2.1 was', () => {
    const answer = answerBinding({ ...request, fingerprint: true }, from);
    expect(answer).toHaveLength(40);
    const view = new DataView(answer.buffer);
    expect([view.getUint16(32), view.getUint16(34)]).toEqual([0x8028, 4]);
    expect(view.getUint32(36)).toBe((crc32(answer.subarray(0, 32)) ^ 0x5354554e) >>> 0);
    expect(parseMessage(Buffer.from(answer))?.attributesKeys).toContain('FINGERPRINT'); // it checks it
  });

  test('to what wants more than it gets: 420 and the names of a few, no larger than others', () => {
    const asked = readBindingRequest(plain('0003 0004 00000006 0024 0004 00000000 0025 0000 0026 0000 0027 0000 0028 0000'));
    const answer = answerBinding(asked as NonNullable<typeof asked>, from);
    expect(answer).toHaveLength(40);
    const parsed = parseMessage(Buffer.from(answer)) as Message;
    expect(parsed.messageClass).toBe(0x110);
    expect(parsed.getAttributeValue('ERROR-CODE')?.[0]).toBe(420);
  });

  test('that stops a browser: 403, smaller than any other', () => {
    for (const fingerprint of [false, true]) {
      const answer = refuseBinding({ ...request, fingerprint });
      expect(answer).toHaveLength(fingerprint ? 36 : 28);
      const parsed = parseMessage(Buffer.from(answer)) as Message;
      expect(parsed.messageClass).toBe(0x110);
      expect(parsed.getAttributeValue('ERROR-CODE')?.[0]).toBe(403);
    }
  });

  test('another implementation reads any address and port back', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(address, fc.integer({ min: 1, max: 65_535 }), fc.uint8Array({ minLength: 12, maxLength: 12 }), (address, port, id) => {
        const transaction = Uint8Array.of(0x21, 0x12, 0xa4, 0x42, ...id);
        const answer = parseMessage(Buffer.from(answerBinding({ ...request, transaction }, { address, port }))) as Message;
        const [seen, at] = answer.getAttributeValue('XOR-MAPPED-ADDRESS') as [string, number];
        expect([expand(seen), at]).toEqual([expand(address), port]);
      }),
    );
  });
});

/** One way of writing for each address. */
function expand(address: string): string {
  return address.includes(':') ? new URL(`http://[${address}]`).hostname : address;
}
