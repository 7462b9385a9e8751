import { expect, test } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import { bindingOf, fingerprint, parsePunchSignal } from '../../../src/browser/webrtc-signal.ts';

const print = (byte: string): string => Array(32).fill(byte).join(':');
const sdp = (lines: readonly string[]): string => `${['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', ...lines, ''].join('\r\n')}`;
const DATA = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel';
const GOOD = sdp([DATA, `a=fingerprint:sha-256 ${print('AB')}`]);

test('an offer, an answer and a candidate are taken', () => {
  for (const type of ['offer', 'answer']) expect(parsePunchSignal(JSON.stringify({ type, sdp: GOOD }))).toEqual({ type, sdp: GOOD });
  const candidate = { candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 };
  expect(parsePunchSignal(JSON.stringify({ type: 'candidate', candidate }))).toEqual({ type: 'candidate', candidate });
});

test.each([
  ['no JSON', 'v=0'],
  ['null', 'null'],
  ['a request to negotiate again', '{"type":"renegotiate","renegotiate":true}'],
  ['a request for a transceiver', '{"type":"transceiverRequest","transceiverRequest":{"kind":"video"}}'],
  ['no data section', JSON.stringify({ type: 'offer', sdp: sdp([`a=fingerprint:sha-256 ${print('AB')}`]) })],
  ['a picture', JSON.stringify({ type: 'offer', sdp: `${GOOD}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n` })],
  ['no fingerprint', JSON.stringify({ type: 'offer', sdp: sdp([DATA]) })],
  ['a weak fingerprint', JSON.stringify({ type: 'offer', sdp: sdp([DATA, `a=fingerprint:sha-1 ${print('AB').slice(0, 59)}`]) })],
  ['two fingerprints', JSON.stringify({ type: 'offer', sdp: `${GOOD}a=fingerprint:sha-256 ${print('CD')}\r\n` })],
  ['more than a SIGNAL carries', JSON.stringify({ type: 'offer', sdp: GOOD + 'a=x\r\n'.repeat(2000) })],
  ['a candidate without text', '{"type":"candidate","candidate":{"candidate":7,"sdpMid":null,"sdpMLineIndex":null}}'],
])('%s is refused', (_what, signal) => {
  expect(parsePunchSignal(signal)).toBeNull();
});

test('the fingerprint is read in either case; one that is said twice is one', () => {
  expect(toHex(fingerprint(GOOD) as Uint8Array)).toBe('ab'.repeat(32));
  expect(toHex(fingerprint(`${GOOD.toLowerCase()}a=fingerprint:sha-256 ${print('ab')}\r\n`) as Uint8Array)).toBe('ab'.repeat(32));
});

test('the binding is the same on both sides', () => {
  const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  expect(bindingOf(one, two)).toEqual(bindingOf(two, one));
  expect(bindingOf(one, two)[0]).toBe(1);
});
