/** What a tab finds out of the NAT before it, from plain data. */
import { describe, expect, test } from 'vitest';
import { judgeNat, type OwnCandidate } from '../../../src/browser/nat-judge.ts';

const host = (address: string | null = null, port = 50_000): OwnCandidate => ({ type: 'host', address, port });
const srflx = (address: string, port: number): OwnCandidate => ({ type: 'srflx', address, port });
const prflx = (address: string, port: number): OwnCandidate => ({ type: 'prflx', address, port });
const REMOTE = '198.51.100.7';

describe('the verdict', () => {
  test.each([
    ['nobody looked from outside', [host()], '192.168.1.5', 0, null],
    ['one STUN server alone says nothing about the next', [host(), srflx('203.0.113.9', 4000)], null, 1, null],
    ['two servers see the same address', [host(), srflx('203.0.113.9', 4000)], null, 2, 'mapped'],
    ['a server and a tab outside see the same address', [host(), srflx('203.0.113.9', 4000)], REMOTE, 1, 'mapped'],
    ['a tab at home is not outside', [host(), srflx('203.0.113.9', 4000)], '10.0.0.3', 1, null],
    ['a tab sees another port than the server', [host(), srflx('203.0.113.9', 4000), prflx('203.0.113.9', 4001)], REMOTE, 1, 'symmetric'],
    ['two servers see two ports', [host(), srflx('203.0.113.9', 4000), srflx('203.0.113.9', 9000)], null, 2, 'symmetric'],
    [
      'two ways out to one router are two ports',
      [host('192.168.1.5'), host('192.168.1.6', 50_001), srflx('203.0.113.9', 4000), srflx('203.0.113.9', 4001)],
      REMOTE,
      1,
      'mapped',
    ],
    ['two ways out to two routers', [host(), srflx('203.0.113.9', 4000), srflx('198.51.100.1', 4001)], REMOTE, 1, 'mapped'],
    ['an address of its own', [host('203.0.113.20')], REMOTE, 1, 'open'],
    ['carrier-grade NAT is not an address of its own', [host('100.64.0.9')], REMOTE, 0, null],
    ['IPv6 is not looked at', [host(), srflx('2001:db8::1', 4000), prflx('2001:db8::1', 4001)], '2001:db8::7', 1, null],
  ] as const)('%s', (_, own, remote, servers, verdict) => {
    expect(judgeNat({ own, remote, servers })).toBe(verdict);
  });
});
