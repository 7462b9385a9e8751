import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/base/ports.ts';
import { createCrypto } from '../../src/browser/crypto.ts';
import { createPairer } from '../../src/browser/pairer.ts';
import type { Key } from '../../src/kademlia/key.ts';
import { readPairingCode, writePairingCode } from '../../src/wire/pairing-code.ts';
import { pairerContract } from './pairing.ts';
import { recordConnections } from './rtc-connections.ts';

const connections = recordConnections();

const crypto = createCrypto();
const NODE = 'ab'.repeat(20) as Key;

/** Through the text that a person sends. */
function carry(endpoint: Endpoint, kind: 'invitation' | 'reply'): Endpoint {
  const to = kind === 'reply' ? new Uint8Array(4) : null;
  const { text } = writePairingCode(crypto, { kind, node: NODE, endpoint, to });
  expect(text.length).toBeLessThanOrEqual(kind === 'reply' ? 180 : 200);
  const result = readPairingCode(crypto, text);
  if (result.outcome !== 'read') throw new Error(`The code is ${result.outcome}.`);
  return result.code.endpoint;
}

pairerContract('WebRTC, through the compact codes', { create: () => [createPairer(), createPairer()], carry });

describe('Pairer: WebRTC', () => {
  test('this browser hides its addresses, and they fit', async () => {
    const pairing = createPairer().offer();
    const { candidates, user, password } = await pairing.own;
    expect(new Set(candidates.map(({ family }) => family))).toEqual(new Set(['mdns']));
    expect([user.length, password.length]).toEqual([4, 24]);
    pairing.close();
  });

  test('[I6] every connection is counted, and released when it is closed, failed or used', async () => {
    connections.length = 0;
    const [one, two] = [createPairer(), createPairer()];
    const first = one.offer();
    const second = two.answer(carry(await first.own, 'invitation'));
    first.accept(carry(await second.own, 'reply'));
    const [a] = await Promise.all([first.opened, second.opened]);
    a.close();
    one.offer().close();
    const spoilt = two.offer();
    const refused = one.offer();
    // An end that does not exist, at an address that nobody has.
    const nobody: Endpoint = { ...(await spoilt.own), fingerprint: new Uint8Array(32) };
    await refused.own;
    spoilt.close();
    refused.accept({ ...nobody, candidates: [] });
    refused.close();
    expect([one.constructed, two.constructed]).toEqual([3, 2]);
    await expect.poll(() => connections.map(({ signalingState }) => signalingState), { timeout: 5000 }).toEqual(Array(5).fill('closed'));
  });

  test('[I5] who answered goes on trying while the other side has no answer yet, and still opens after ICE gave up', async () => {
    connections.length = 0;
    const first = createPairer().offer();
    const own = await first.own;
    // A router in between lets nothing in: as if the offer named an address that does not answer (RFC 5737).
    const walled: Endpoint = {
      ...own,
      candidates: [{ kind: 'srflx', protocol: 'udp', family: 'ipv4', address: Uint8Array.of(192, 0, 2, 1), port: 50_000 }],
    };
    const second = createPairer().answer(carry(walled, 'invitation'));
    const answer = await second.own;
    const pc = connections[1] as RTCPeerConnection;
    const states: string[] = [];
    pc.addEventListener('connectionstatechange', () => states.push(pc.connectionState));
    await expect.poll(() => states, { timeout: 25_000 }).toEqual(expect.arrayContaining(['failed', 'connecting']));
    await expect.poll(() => states.at(-1), { timeout: 5_000 }).toBe('connecting');
    first.accept(carry(answer, 'reply'));
    const [a, b] = await Promise.all([first.opened, second.opened]);
    a.close();
    b.close();
  });
});
