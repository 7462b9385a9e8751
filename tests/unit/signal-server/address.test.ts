import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { remoteAddress } from '../../../signal-server/address.ts';

function from(remote: string, forwarded?: string): IncomingMessage {
  return {
    socket: { remoteAddress: remote },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  } as unknown as IncomingMessage;
}

describe('who is counted', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2:ffff::1', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['fe80::1', 'fe80:0:0:0'],
  ])('%s as %s', (remote, counted) => {
    expect(remoteAddress(from(remote), false)).toBe(counted);
  });

  test('programs on this machine are not', () => {
    for (const local of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(remoteAddress(from(local), false)).toBeNull();
  });

  test('behind a proxy on this machine: the address that the proxy wrote last', () => {
    expect(remoteAddress(from('127.0.0.1', '198.51.100.1, 192.0.2.7'), false)).toBe('192.0.2.7');
    expect(remoteAddress(from('::1', '2001:db8:1:2::9'), false)).toBe('2001:db8:1:2');
  });

  test('a stranger can not choose its own address, unless every proxy is trusted', () => {
    expect(remoteAddress(from('192.0.2.7', '198.51.100.1'), false)).toBe('192.0.2.7');
    expect(remoteAddress(from('10.0.0.2', '198.51.100.1'), true)).toBe('198.51.100.1');
  });
});
