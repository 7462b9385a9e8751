/** What a person may type, and what it becomes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readIceServer, readOpenNode } from '../../../src/app/network-address.ts';
import { hasCode } from '../../../src/base/errors.ts';
import { isOpenUrl } from '../../../src/kademlia/contact.ts';

const open = (typed: string, secure = false): string => readOpenNode(typed, { secure });

describe('the address of an open node', () => {
  test.each([
    ['example.org', 'wss://example.org/ws'],
    ['  Example.ORG:8443 ', 'wss://example.org:8443/ws'],
    ['https://example.org', 'wss://example.org/ws'],
    ['https://example.org:443/', 'wss://example.org/ws'],
    ['HTTPS://example.org/kadreel/', 'wss://example.org/kadreel/ws'],
    ['wss://example.org/ws', 'wss://example.org/ws'],
    ['http://192.0.2.1:8080', 'ws://192.0.2.1:8080/ws'],
    ['http://example.org:80', 'ws://example.org/ws'],
    ['192.0.2.1:8080', 'ws://192.0.2.1:8080/ws'],
    ['localhost:8080', 'ws://localhost:8080/ws'],
    ['[2001:db8::1]:8080', 'ws://[2001:db8::1]:8080/ws'],
    ['ws://[::1]/ws/', 'ws://[::1]/ws'],
  ])('%s is %s', (typed, url) => {
    expect(open(typed)).toBe(url);
    expect(open(url)).toBe(url);
  });

  test.each([
    '',
    '   ',
    'https://',
    'exa mple.org',
    'example..org',
    '-a.example',
    'https://example.org/?a=1',
    'example.org#b',
    'user@example.org',
    'user:word@example.org',
    'example.org:0',
    'example.org:65536',
    '192.0.2',
    '192.0.2.256',
    '[2001:db8::1',
    '[1:2:3]',
    '[1::2::3]',
    'müller.example',
    'https://example.org/ä',
    `https://${'a'.repeat(64)}.example`,
    `https://example.org/${'a'.repeat(300)}`,
    'javascript:alert(1)',
    'mailto:a@example.org',
  ])('“%s” is refused with an example', (typed) => {
    expect(() => open(typed)).toThrow(/Type it like example\.org, https:\/\/example\.org/);
  });

  test('another scheme is named', () => {
    expect(() => open('ftp://example.org')).toThrow('begins with ftp://, and an open node’s address begins with https:// or http://');
  });

  test('a page that came by https: reaches none by http:, but for those on this machine', () => {
    expect(() => open('http://example.org', true)).toThrow('only lets it reach open nodes by https://');
    expect(() => open('192.0.2.1:8080', true)).toThrow('only lets it reach open nodes by https://');
    expect(open('example.org', true)).toBe('wss://example.org/ws');
    expect(open('localhost:8080', true)).toBe('ws://localhost:8080/ws');
  });

  test('whatever is typed, it can be dialled or is refused as invalid', () => {
    const piece = fc.constantFrom(
      'http://',
      'wss://',
      'example',
      '.',
      ':',
      '8080',
      '/',
      'ws',
      '[',
      ']',
      '::',
      '1',
      '%41',
      ' ',
      '\u0000',
      'é',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (typed) => {
          try {
            expect(isOpenUrl(open(typed))).toBe(true);
          } catch (error) {
            expect(hasCode(error, 'invalid')).toBe(true);
          }
        },
      ),
    );
  });
});

describe('a STUN or TURN server', () => {
  const secrets = { username: 'me', credential: 'word' };

  test.each([
    ['stun:example.org', 'stun:example.org'],
    [' STUN:Example.org:3478 ', 'stun:example.org:3478'],
    ['stun:[2001:db8::1]:3478', 'stun:[2001:db8::1]:3478'],
  ])('%s is %s, and takes no name and password along', (urls, read) => {
    expect(readIceServer({ urls, ...secrets })).toEqual({ urls: read });
  });

  test.each([
    ['turn:192.0.2.1', 'turn:192.0.2.1'],
    ['turn:example.org:3478?transport=TCP', 'turn:example.org:3478?transport=tcp'],
    ['turns:example.org:5349', 'turns:example.org:5349'],
  ])('%s is %s', (urls, read) => {
    expect(readIceServer({ urls, ...secrets })).toEqual({ urls: read, ...secrets });
  });

  test.each([
    '',
    'example.org',
    'stun://example.org',
    'https://example.org',
    'stun:',
    'stun:example.org:0',
    'stun:a b',
    'turn:a@example.org',
    'turn:example.org?transport=sctp',
    'turn:example.org:3478?a=b',
  ])('“%s” is refused with an example', (urls) => {
    expect(() => readIceServer({ urls, ...secrets })).toThrow('Type it like stun:example.org:3478');
  });

  test('TURN needs a name and a password, of a length that browsers take; STUN no transport', () => {
    expect(() => readIceServer({ urls: 'turn:example.org', username: 'me' })).toThrow('needs a user name and a password');
    expect(() => readIceServer({ urls: 'turn:example.org', ...secrets, credential: 'x'.repeat(257) })).toThrow('at most 256 characters');
    expect(() => readIceServer({ urls: 'stun:example.org?transport=udp' })).toThrow('asked over UDP');
  });
});
