import { describe, expect, test } from 'vitest';
import { toBase64url } from '../../../src/base/base64url.ts';
import { toHex } from '../../../src/base/bytes.ts';
import type { Candidate } from '../../../src/base/ports.ts';
import { candidateFor, endpointOf, parseCandidate, sdpOf } from '../../../src/browser/compact-sdp.ts';
import { bindingOf, fingerprint, formatPunchSignal, type PunchSignal, parsePunchSignal } from '../../../src/browser/webrtc-signal.ts';
import { makeEndpoint } from '../support/make-endpoint.ts';

const print = (byte: string): string => Array(32).fill(byte).join(':');
const sdp = (lines: readonly string[]): string => `${['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 's=-', 't=0 0', ...lines, ''].join('\r\n')}`;
const DATA = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel';
const GOOD = sdp([DATA, `a=fingerprint:sha-256 ${print('AB')}`]);
const HOME: Candidate = { kind: 'host', protocol: 'udp', family: 'ipv4', address: Uint8Array.of(192, 168, 1, 5), port: 50_000 };
const ENDPOINT = { ...makeEndpoint(), candidates: [] };

describe('a signal', () => {
  test('is read as it was written, and short', () => {
    const signals: readonly PunchSignal[] = [
      { type: 'offer', endpoint: ENDPOINT },
      { type: 'answer', endpoint: { ...ENDPOINT, candidates: [HOME] } },
      { type: 'candidate', index: 3, candidate: HOME },
    ];
    for (const signal of signals) expect(parsePunchSignal(formatPunchSignal(signal))).toEqual(signal);
    expect(signals.map((signal) => formatPunchSignal(signal).length)).toEqual([92, 110, 23]);
  });

  const mutated = (changes: Partial<Candidate>): string =>
    formatPunchSignal({ type: 'candidate', index: 0, candidate: { ...HOME, ...changes } });
  test.each([
    ['a description', JSON.stringify({ type: 'offer', sdp: GOOD })],
    ['nothing', ''],
    ['bytes that are no signal', toBase64url(Uint8Array.of(0x92, 7, 0x90))],
    ['a line break in the password', formatPunchSignal({ type: 'offer', endpoint: { ...ENDPOINT, password: 'a\r\na=x' } })],
    ['no user name', formatPunchSignal({ type: 'offer', endpoint: { ...ENDPOINT, user: '' } })],
    ['a whole network', mutated({ address: Uint8Array.of(255, 255, 255, 255) })],
    ['a group of listeners', mutated({ address: Uint8Array.of(224, 0, 0, 1) })],
    ['an address of another family', mutated({ family: 'ipv6' })],
    ['no port', mutated({ port: 0 })],
    ['more than a letter carries', 'A'.repeat(9_000)],
  ])('that is %s is refused', (_what, text) => {
    expect(parsePunchSignal(text)).toBeNull();
  });
});

test('a candidate is the same after its travel, and one that only connects is none', () => {
  const line =
    'candidate:842163049 1 udp 1677729535 203.0.113.9 4000 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag vNEV network-cost 999';
  const candidate = parseCandidate(line) as Candidate;
  expect(candidate).toEqual({ kind: 'srflx', protocol: 'udp', family: 'ipv4', address: Uint8Array.of(203, 0, 113, 9), port: 4000 });
  expect(candidateFor(candidate, 2).candidate).toMatch(/^candidate:3 1 udp \d+ 203\.0\.113\.9 4000 typ srflx raddr 0\.0\.0\.0 rport 0$/);
  expect(parseCandidate('candidate:1 1 tcp 1518280447 192.168.1.5 9 typ host tcptype active')).toBeNull();
  expect(parseCandidate('')).toBeNull();
});

test('what a browser is told is what the other one wrote', () => {
  expect(endpointOf(sdpOf(makeEndpoint(), 'offer'))).toEqual(makeEndpoint());
});

test('the fingerprint is read in either case; one that is said twice is one', () => {
  expect(toHex(fingerprint(GOOD) as Uint8Array)).toBe('ab'.repeat(32));
  expect(toHex(fingerprint(`${GOOD.toLowerCase()}a=fingerprint:sha-256 ${print('ab')}\r\n`) as Uint8Array)).toBe('ab'.repeat(32));
});

test.each([
  ['no fingerprint', sdp([DATA])],
  ['a weak one', sdp([DATA, `a=fingerprint:sha-1 ${print('AB').slice(0, 59)}`])],
  ['two that differ', `${GOOD}a=fingerprint:sha-256 ${print('CD')}\r\n`],
])('%s is none', (_what, text) => {
  expect(fingerprint(text)).toBeNull();
});

test('the binding is the same on both sides', () => {
  const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  expect(bindingOf(one, two)).toEqual(bindingOf(two, one));
  expect(bindingOf(one, two)[0]).toBe(1);
});
