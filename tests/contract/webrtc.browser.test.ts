import { describe, expect, test, vi } from 'vitest';
import { type Bytes, equal } from '../../src/base/bytes.ts';
import { LIMITS } from '../../src/base/limits.ts';
import type { Punch, Puncher } from '../../src/base/ports.ts';
import { createPuncher } from '../../src/browser/webrtc.ts';
import { bindingOf, formatPunchSignal, parsePunchSignal } from '../../src/browser/webrtc-signal.ts';
import { channelContract, hear, introduce, pattern, puncherContract } from './channel.ts';
import { recordConnections } from './rtc-connections.ts';

const connections = recordConnections();

const create = () => [createPuncher(), createPuncher()] as const;

puncherContract('WebRTC', create);
channelContract('WebRTC', () => introduce(create()));

describe('WebRTC', () => {
  /** A puncher that notes what its sides emit. */
  const noting = (into: string[]): Puncher => {
    const puncher = createPuncher();
    return {
      nat: null,
      relays: false,
      start: ({ initiator, emit }) =>
        puncher.start({
          initiator,
          emit(signal) {
            into.push(signal);
            emit(signal);
          },
        }),
    };
  };
  const printOf = (signals: readonly string[]): Bytes => {
    const first = parsePunchSignal(signals[0] ?? '');
    if (!first || first.type === 'candidate') throw new Error('The first signal is no description.');
    return first.endpoint.fingerprint;
  };

  test('the answerer is DTLS-active, and the binding is both certificates’ fingerprints, the lesser first', async () => {
    connections.length = 0;
    const [offered, answered]: [string[], string[]] = [[], []];
    const [a, b] = await introduce([noting(offered), noting(answered)]);
    const answerer = connections.find((connection) => connection.remoteDescription?.type === 'offer');
    expect(answerer?.localDescription?.sdp).toContain('a=setup:active');
    expect(equal(a.binding, bindingOf(printOf(offered), printOf(answered)))).toBe(true);
    for (const signals of [offered, answered]) expect(signals.join().length).toBeLessThan(400);
    a.close();
    b.close();
  });

  test('the ICE servers are asked for at each connection', () => {
    connections.length = 0;
    let iceServers: RTCIceServer[] = [{ urls: 'stun:192.0.2.1:3478' }];
    const puncher = createPuncher({ iceServers: () => iceServers });
    const start = (): void => puncher.start({ initiator: true, emit: () => undefined }).close();
    start();
    iceServers = [{ urls: 'turn:192.0.2.1?transport=tcp', username: 'me', credential: 'word' }];
    start();
    iceServers = [];
    start();
    const used = connections.map((connection) => connection.getConfiguration().iceServers?.map(({ urls }) => [urls].flat()));
    expect(used).toEqual([[['stun:192.0.2.1:3478']], [['turn:192.0.2.1?transport=tcp']], []]);
  });

  test('every connection is counted, and released when it is closed, given up or failed', async () => {
    connections.length = 0;
    const [one, two] = [createPuncher(), createPuncher()];
    const [a] = await introduce([one, two]);
    a.close();
    const unanswered = one.start({ initiator: true, emit: () => undefined });
    unanswered.close();
    const broken = two.start({ initiator: false, emit: () => undefined });
    broken.accept('nonsense');
    await Promise.allSettled([unanswered.opened, broken.opened]);
    expect([one.constructed, two.constructed]).toEqual([2, 2]);
    expect(connections).toHaveLength(4);
    await vi.waitFor(() => expect(connections.map(({ signalingState }) => signalingState)).toEqual(Array(4).fill('closed')), 5000);
  });

  test('a queue that the other side does not empty closes the channel with a reason; nothing is thrown', async () => {
    const [a, b] = await introduce(create());
    const heard = hear(a);
    for (let i = 0; i < 100; i++) a.send(pattern(LIMITS.message, i));
    await vi.waitFor(() => expect(heard.closes).toHaveLength(1));
    expect(heard.closes[0]).toContain('queue');
    b.close();
  });

  test('a message that is larger than any channel takes closes it with a reason; nothing is thrown', async () => {
    const [a, b] = await introduce(create());
    const heard = hear(a);
    a.send(new Uint8Array(LIMITS.message * 4));
    await vi.waitFor(() => expect(heard.closes).toHaveLength(1));
    b.close();
  });

  test('candidates that come after it opened or closed do no harm', async () => {
    const punches: Punch[] = [];
    const [a, b] = await introduce(create(), punches);
    const where = { kind: 'host', protocol: 'udp', family: 'ipv4', address: Uint8Array.of(192, 0, 2, 1), port: 50_000 } as const;
    const candidate = formatPunchSignal({ type: 'candidate', index: 7, candidate: where });
    for (const punch of punches) punch.accept(candidate);
    const heard = hear(b);
    a.send(pattern(4, 4));
    await vi.waitFor(() => expect(heard.messages).toHaveLength(1));
    a.close();
    for (const punch of punches) punch.accept(candidate);
    await vi.waitFor(() => expect(heard.closes).toHaveLength(1), 5000);
    for (const punch of punches) punch.accept(candidate);
  });
});
