import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../src/base/bytes.ts';
import type { Candidate, Endpoint } from '../../../src/base/ports.ts';
import { candidatesFor, endpointOf, sdpOf } from '../../../src/browser/compact-sdp.ts';
import { formatAddress, type IpAddress, parseAddress } from '../../../src/browser/ip-address.ts';
import { HOME, makeEndpoint } from '../support/make-endpoint.ts';

const PRINT = Array(32).fill('A7').join(':');
/** What a browser wrote, with these candidates in it. */
const described = (browser: 'Chromium' | 'Firefox', candidates: readonly string[]): string =>
  [
    'v=0',
    browser === 'Chromium' ? 'o=- 6495060145267917502 2 IN IP4 127.0.0.1' : 'o=mozilla...THIS_IS_SDPARTA-99.0 1234 0 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    ...(browser === 'Firefox' ? [`a=fingerprint:sha-256 ${PRINT}`] : []),
    'a=group:BUNDLE 0',
    ...(browser === 'Chromium' ? ['a=extmap-allow-mixed', 'a=msid-semantic: WMS'] : ['a=ice-options:trickle', 'a=msid-semantic:WMS *']),
    `m=application ${browser === 'Chromium' ? 9 : 45472} UDP/DTLS/SCTP webrtc-datachannel`,
    'c=IN IP4 0.0.0.0',
    ...candidates.map((one) => `a=candidate:${one}`),
    ...(browser === 'Firefox' ? ['a=sendrecv', 'a=end-of-candidates'] : []),
    `a=ice-pwd:${browser === 'Chromium' ? 'uHY4lFTBekuTaGoVBg3ndNOI' : '0123456789abcdef0123456789abcdef'}`,
    `a=ice-ufrag:${browser === 'Chromium' ? 'vNEV' : '0123abcd'}`,
    ...(browser === 'Chromium' ? [`a=fingerprint:sha-256 ${PRINT}`] : []),
    'a=mid:0',
    'a=setup:actpass',
    'a=sctp-port:5000',
    `a=max-message-size:${browser === 'Chromium' ? 262_144 : 1_073_741_823}`,
    '',
  ].join('\r\n');

const CANDIDATES = [
  '3873090162 1 udp 2113942271 d148b96d-2850-4bbc-83b7-fa6b9a97c707.local 45472 typ host generation 0 network-cost 999',
  '4184998774 1 udp 2113937151 192.0.2.7 52163 typ host generation 0 network-id 1',
  '842163049 1 udp 1677729535 203.0.113.7 61000 typ srflx raddr 0.0.0.0 rport 0 generation 0',
  '1 1 udp 41885439 2001:db8::5 61001 typ relay raddr :: rport 0',
  '4233069003 1 tcp 1518283007 192.0.2.7 9 typ host tcptype active generation 0',
];

describe('from a description', () => {
  test.each(['Chromium', 'Firefox'] as const)('of %s comes what can’t be guessed; TCP that only connects is left out', (browser) => {
    const endpoint = endpointOf(described(browser, CANDIDATES)) as Endpoint;
    expect([endpoint.user.length, endpoint.password.length]).toEqual(browser === 'Chromium' ? [4, 24] : [8, 32]);
    expect(toHex(endpoint.fingerprint)).toBe('a7'.repeat(32));
    expect(endpoint.candidates.map((one) => `${one.kind} ${one.family} ${formatAddress(one)} ${one.port}`)).toEqual([
      'host mdns d148b96d-2850-4bbc-83b7-fa6b9a97c707.local 45472',
      'host ipv4 192.0.2.7 52163',
      'srflx ipv4 203.0.113.7 61000',
      'relay ipv6 2001:0db8:0000:0000:0000:0000:0000:0005 61001',
    ]);
  });

  test('with dozens of addresses the three best of this device, the two best outside and one relay are told', () => {
    const hosts = Array.from({ length: 9 }, (_, n) => `${n} 1 udp ${1000 + n} 192.0.2.${n + 1} 5000 typ host`);
    const outside = Array.from({ length: 4 }, (_, n) => `${n} 1 udp ${500 + n} 203.0.113.${n + 1} 5000 typ srflx raddr 0.0.0.0 rport 0`);
    const relays = Array.from({ length: 2 }, (_, n) => `${n} 1 udp ${100 + n} 198.51.100.${n + 1} 5000 typ relay raddr 0.0.0.0 rport 0`);
    const endpoint = endpointOf(described('Chromium', [...relays, ...outside, ...hosts, ...hosts])) as Endpoint;
    expect(endpoint.candidates.map((one) => formatAddress(one))).toEqual([
      ...['192.0.2.9', '192.0.2.8', '192.0.2.7'],
      ...['203.0.113.4', '203.0.113.3'],
      '198.51.100.2',
    ]);
  });

  test.each([
    ['no fingerprint', described('Chromium', []).replace(/a=fingerprint.*\r\n/, '')],
    ['no password', described('Chromium', []).replace(/a=ice-pwd.*\r\n/, '')],
    ['another name for its section', described('Chromium', []).replace('a=mid:0', 'a=mid:data')],
  ])('with %s comes null', (_, sdp) => {
    expect(endpointOf(sdp)).toBeNull();
  });
});

describe('a description that was rebuilt', () => {
  test('says what the endpoint says', () => {
    const tcp: Candidate = { kind: 'host', protocol: 'tcp', family: 'ipv4', address: Uint8Array.of(192, 0, 2, 9), port: 443 };
    const endpoint = makeEndpoint({ candidates: [...HOME, tcp] });
    for (const type of ['offer', 'answer'] as const) {
      const sdp = sdpOf(endpoint, type);
      expect(endpointOf(sdp)?.candidates).toEqual([HOME[0], tcp, HOME[1]]);
      expect(endpointOf(sdp)).toMatchObject({ user: endpoint.user, password: endpoint.password, fingerprint: endpoint.fingerprint });
      expect(sdp).toContain(type === 'offer' ? 'a=setup:actpass\r\n' : 'a=setup:active\r\n');
      expect(sdp.match(/^m=/gm)).toHaveLength(1);
      expect(sdp).toContain('a=max-message-size:262144\r\n');
    }
  });

  test('gives candidates a new foundation for each try', () => {
    const foundations = [0, 1, 2].flatMap((round) => candidatesFor(makeEndpoint(), round).map((one) => one.candidate?.split(' ')[0]));
    expect(new Set(foundations).size).toBe(6);
  });
});

describe('an address', () => {
  test('is read as it was written', () => {
    const length = { ipv4: 4, ipv6: 16, mdns: 16 };
    const address: fc.Arbitrary<IpAddress> = fc
      .constantFrom('ipv4' as const, 'ipv6' as const, 'mdns' as const)
      .chain((family) =>
        fc
          .uint8Array({ minLength: length[family], maxLength: length[family] })
          .map((bytes) => ({ family, address: new Uint8Array(bytes) })),
      );
    fc.assert(
      fc.property(address, (one) => {
        expect(parseAddress(formatAddress(one))).toEqual(one);
      }),
    );
  });

  test.each([
    ['2001:db8::5', '20010db8000000000000000000000005'],
    ['::1', '00000000000000000000000000000001'],
    ['fe80::', 'fe800000000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ])('%s is read', (text, hex) => {
    expect(toHex(parseAddress(text)?.address ?? new Uint8Array())).toBe(hex);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.5',
    'example.org',
    '::1::',
    '1:2:3',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'x.local',
    ':::',
    '1:2:3:4:5:6:7::8:',
  ])('“%s” is none', (text) => {
    expect(parseAddress(text)).toBeNull();
  });
});
