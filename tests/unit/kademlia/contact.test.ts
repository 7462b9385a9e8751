import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '../../../signal-server/crypto.ts';
import { toHex } from '../../../src/base/bytes.ts';
import { decode, encode } from '../../../src/base/schema.ts';
import {
  type Contact,
  type ContactFields,
  contactOf,
  contactSchema,
  isOpenUrl,
  MAX_VIA,
  rememberContacts,
} from '../../../src/kademlia/contact.ts';
import { hashKey } from '../../../src/kademlia/key.ts';

const crypto = createNodeCrypto();
const publicKey = new Uint8Array(32).fill(7);
const fields = (changes: Partial<ContactFields> = {}): ContactFields => ({
  publicKey,
  open: null,
  via: [],
  coordinate: null,
  nat: null,
  stun: null,
  ...changes,
});

describe('contacts', () => {
  it('[H2] go over the wire without their id, which the receiver computes', () => {
    const sent = encode(contactSchema, fields({ via: [hashKey(crypto, publicKey)] }));
    const contact = contactOf(crypto, decode(contactSchema, sent) as ContactFields);
    expect(contact).toEqual({ id: hashKey(crypto, publicKey), ...fields({ via: [hashKey(crypto, publicKey)] }) });
    sent.fill(0);
    expect(contact.publicKey).toEqual(publicKey);
  });

  it('[H2] that say the same are one object, and never an older word than the last', () => {
    const receive = (changes: Partial<ContactFields> = {}): Contact =>
      contactOf(crypto, decode(contactSchema, encode(contactSchema, fields(changes))) as ContactFields);
    const via = [hashKey(crypto, publicKey)];
    const coordinate = { x: 1, y: 2, height: 3 };
    const said: Partial<ContactFields>[] = [{}, { open: 'wss://a.example/' }, { via }, { coordinate }, { via, coordinate }, {}];
    for (const changes of said) {
      const contact = receive(changes);
      expect(contact).toEqual({ id: hashKey(crypto, publicKey), ...fields(changes) });
      expect(receive({ ...changes })).toBe(contact);
    }
    expect(receive({ via: [...via, ...via] }).via).toHaveLength(2);
    expect(contactOf(crypto, { ...fields({ coordinate: { ...coordinate } }) })).toBe(contactOf(crypto, fields({ coordinate })));
    expect(contactOf({ ...crypto, hash: () => new Uint8Array(32) }, fields()).id).toBe('0'.repeat(40));
  });

  it('of one node are the same objects, version by version, where more than one is remembered', () => {
    const shared = createNodeCrypto();
    rememberContacts(shared, { versions: 3 });
    const via = [hashKey(shared, publicKey)];
    const at = (x: number): Contact => contactOf(shared, fields({ via: [...via], coordinate: { x, y: 0, height: 0 } }));
    const three = [at(1), at(2), at(3)];
    expect(new Set(three.map((one) => one.via)).size).toBe(1);
    expect([at(1), at(2), at(3)].every((one, i) => one === three[i])).toBe(true);
    expect(at(4).coordinate?.x).toBe(4);
    expect([at(2), at(3)].every((one, i) => one === three[i + 1])).toBe(true);
    expect(at(1)).not.toBe(three[0]);
    expect(at(1)).toEqual(three[0]);
  });

  it('[H2] have a key of 32 bytes and at most 3 ways', () => {
    const four = { ...fields(), via: Array.from({ length: MAX_VIA + 1 }, () => hashKey(crypto, publicKey)) };
    expect(() => encode(contactSchema, four)).toThrow();
    expect(
      decode(contactSchema, Buffer.from(`96c420${'07'.repeat(32)}c093${`c414${'01'.repeat(20)}`.repeat(3)}c0c0c0`, 'hex')),
    ).not.toBeNull();
    const hex = toHex(encode(contactSchema, fields()));
    expect(hex).toBe(`96c420${'07'.repeat(32)}c090c0c0c0`);
    expect(decode(contactSchema, Buffer.from(`96c41f${'07'.repeat(31)}c090c0c0c0`, 'hex'))).toBeNull();
    expect(decode(contactSchema, Buffer.from(`96c420${'07'.repeat(32)}c094${`c414${'01'.repeat(20)}`.repeat(4)}c0c0c0`, 'hex'))).toBeNull();
  });

  it('[H2] say where they are, in tenths of a millisecond', () => {
    const hex = toHex(encode(contactSchema, fields({ coordinate: { x: -12.5, y: 40, height: 7.31 } })));
    expect(hex).toBe(`96c420${'07'.repeat(32)}c090c406ff8301900049c0c0`);
    expect(decode(contactSchema, Buffer.from(hex, 'hex'))?.coordinate).toEqual({ x: -12.5, y: 40, height: 7.3 });
    expect(decode(contactSchema, Buffer.from(`96c420${'07'.repeat(32)}c090c405ff83019000`, 'hex'))).toBeNull();
  });

  it('[H2] say what stands before them, and where they answer STUN', () => {
    const hex = toHex(encode(contactSchema, fields({ nat: 'symmetric', stun: 3478 })));
    expect(hex).toBe(`96c420${'07'.repeat(32)}c090c002cd0d96`);
    expect(decode(contactSchema, Buffer.from(hex, 'hex'))).toMatchObject({ nat: 'symmetric', stun: 3478 });
    expect(decode(contactSchema, Buffer.from(`96c420${'07'.repeat(32)}c090c003c0`, 'hex'))).toBeNull();
    expect(decode(contactSchema, Buffer.from(`96c420${'07'.repeat(32)}c090c0c0ce00010000`, 'hex'))).toBeNull();
  });

  it('[H2] take addresses that a browser can dial as a WebSocket', () => {
    for (const url of [
      'ws://127.0.0.1:8080/',
      'wss://kadreel.example',
      'wss://Node-7.example.org:443/a/b.c~d_e-f',
      'ws://[::1]:8080/x',
      'wss://[2001:db8::1]',
    ]) {
      expect(isOpenUrl(url), url).toBe(true);
      expect(() => new URL(url)).not.toThrow();
    }
  });

  it('[H2] take nothing else for an address', () => {
    for (const url of [
      '',
      'http://a/',
      'wss:/a/',
      'wss://',
      'javascript://a/',
      'wss://user:secret@a/',
      'wss://a/?q=1',
      'wss://a/#f',
      'wss://a/ b',
      'wss://a:123456/',
      'wss://a\n',
      ' wss://a',
      'wss://[::1',
      'wss://ä.example/',
      `wss://${'a'.repeat(254)}/`,
    ]) {
      expect(isOpenUrl(url), url).toBe(false);
      expect(() => encode(contactSchema, fields({ open: url }))).toThrow();
    }
  });
});
