/** The STUN responder on real sockets, judged by other implementations. */
import { execFile } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { classes, Message, methods, StunProtocol } from 'werift-ice';
import { createOpenNode } from '../../../signal-server/open-node.ts';
import { createStunResponder, type StunOptions, type StunResponder } from '../../../signal-server/stun.ts';
import { findProgram } from '../../chromium.mjs';
import { manualClock } from '../support/manual-clock.ts';

const running: StunResponder[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.close()));
});

function respond(options: Partial<StunOptions> = {}): StunResponder {
  const responder = createStunResponder({ port: 0, clock: manualClock(), ...options });
  running.push(responder);
  return responder;
}

const REQUEST = Buffer.from('000100002112a442b7e7a701bc34d686fa87dfae', 'hex');

describe('the STUN responder', () => {
  test.each([
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
  ])('over %s tells a client of another make its own address', async (family, host) => {
    const port = await respond().ready;
    const client = new StunProtocol();
    await client.connectionMade(family === 'IPv4');
    const [answer] = await client.request(new Message(methods.BINDING, classes.REQUEST), [host, port]);
    const [, mapped] = answer.getAttributeValue('XOR-MAPPED-ADDRESS') as [string, number];
    expect(mapped).toBe(client.getExtraInfo()[1]);
    await client.close();
  });

  test.skipIf(!findProgram('turnutils_stunclient'))("coturn's client finds its address", async () => {
    const port = await respond().ready;
    const { stdout } = await promisify(execFile)('turnutils_stunclient', ['-p', String(port), '127.0.0.1']);
    expect(stdout).toMatch(/UDP reflexive addr: 127\.0\.0\.1:\d+/);
  });

  test('drops what is no request, and counts it', async () => {
    const responder = respond();
    const port = await responder.ready;
    const socket = createSocket('udp4');
    for (const datagram of [Buffer.from('GET / HTTP/1.1'), REQUEST.subarray(0, 19), Buffer.alloc(1400), REQUEST])
      socket.send(datagram, port, '127.0.0.1');
    const [answer] = await once(socket, 'message');
    expect(answer).toHaveLength(32);
    await vi.waitFor(() => expect(responder.counters()).toEqual({ answered: 1, malformed: 3, stopped: 0, limited: 0 }));
    socket.close();
  });

  test('answers one address only so often a second', async () => {
    const clock = manualClock();
    const responder = respond({ clock, perAddress: 3 });
    const port = await responder.ready;
    const [socket, other] = [createSocket('udp4'), createSocket('udp6')];
    for (let i = 0; i < 5; i++) socket.send(REQUEST, port, '127.0.0.1');
    await vi.waitFor(() => expect(responder.counters()).toMatchObject({ answered: 3, limited: 2 }));
    other.send(REQUEST, port, '::1'); // somebody else
    await vi.waitFor(() => expect(responder.counters()).toMatchObject({ answered: 4, limited: 2 }));
    clock.advance(1000);
    socket.send(REQUEST, port, '127.0.0.1');
    await vi.waitFor(() => expect(responder.counters()).toMatchObject({ answered: 5, limited: 2 }));
    socket.close();
    other.close();
  });

  test('tells who asks every 10 s for a minute to stop, and nobody else', async () => {
    const clock = manualClock();
    const responder = respond({ clock });
    const port = await responder.ready;
    const [keeper, newcomer] = [createSocket('udp4'), createSocket('udp4')];
    const codes = async (socket: Socket, times: number, pause: number): Promise<string> => {
      let seen = '';
      for (let i = 0; i < times; i++) {
        const heard = once(socket, 'message');
        socket.send(REQUEST, port, '127.0.0.1');
        const [answer] = await heard;
        seen += answer.readUInt16BE(0) === 0x0101 ? '+' : '-';
        clock.advance(pause);
      }
      return seen;
    };
    expect(await codes(keeper, 6, 10_000)).toBe('++++++');
    expect(await codes(newcomer, 1, 0)).toBe('+');
    // Who goes on has not heard it, or has another connection.
    expect(await codes(keeper, 8, 10_000)).toBe('-++++++-');
    expect(await codes(newcomer, 5, 16_000)).toBe('+++++');
    expect(responder.counters()).toMatchObject({ stopped: 2, answered: 18 });
    keeper.close();
    newcomer.close();
  });

  test('says which port can not be had, and frees its own', async () => {
    const first = respond();
    const port = await first.ready;
    await expect(respond({ port }).ready).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(`UDP port ${port} .*in use.*STUN_PORT=${port + 1} npm start`),
    });
    await Promise.all([first.close(), first.close()]);
    expect(await respond({ port }).ready).toBe(port);
  });
});

describe('an open node', () => {
  test('answers STUN only where it is told to, says the port, and counts in /status', async () => {
    const silent = createOpenNode({ port: 0, host: '127.0.0.1' });
    expect((await silent.ready).stunPort).toBeNull();
    expect(Object.keys(silent.status().counters).filter((name) => name.startsWith('stun'))).toEqual([]);
    await silent.close();

    const node = createOpenNode({ port: 0, host: '127.0.0.1', stunPort: 0 });
    const { url, stunPort } = await node.ready;
    const socket = createSocket('udp4');
    socket.send(REQUEST, stunPort as number, '127.0.0.1');
    await once(socket, 'message');
    const { counters } = await (await fetch(`${url}/status`)).json();
    expect(counters).toMatchObject({ 'stun.answered': 1, 'stun.malformed': 0, 'stun.limited': 0 });
    await node.close();
    const again = respond({ port: stunPort as number });
    expect(await again.ready).toBe(stunPort);
    socket.close();
  });
});
