import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createNodeDialer, createSocketDoor, SOCKET_LIMITS, type SocketDoor, type SocketLimits } from '../../../signal-server/websocket.ts';
import { LIMITS } from '../../../src/base/limits.ts';
import type { Channel } from '../../../src/base/ports.ts';
import { hear } from '../../contract/channel.ts';

const opened: { http: Server; door: SocketDoor }[] = [];
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const { http, door } of opened.splice(0)) {
    door.close();
    await new Promise((resolve) => http.close(resolve));
  }
});

async function openDoor(limits: Partial<SocketLimits> = {}): Promise<{ door: SocketDoor; port: number; accepted: Channel[] }> {
  const accepted: Channel[] = [];
  const door = createSocketDoor({ ...SOCKET_LIMITS, ...limits }, (channel) => accepted.push(channel));
  const http = createServer();
  http.on('upgrade', door.upgrade);
  await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve));
  opened.push({ http, door });
  return { door, port: (http.address() as AddressInfo).port, accepted };
}

/** Resolves with 'open', or with the status that refused. */
function dial(
  port: number,
  { path = '/ws', from }: { path?: string; from?: string } = {},
): Promise<{ socket: WebSocket; outcome: 'open' | number }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, {
    perMessageDeflate: true,
    ...(from && { headers: { 'X-Forwarded-For': from } }),
  });
  sockets.push(socket);
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    socket.on('open', () => resolve({ socket, outcome: 'open' }));
    socket.on('unexpected-response', (_request, response) => {
      response.resume();
      resolve({ socket, outcome: response.statusCode ?? 0 });
    });
  });
}

function closed(socket: WebSocket): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
}

describe('the door', () => {
  test('does not compress, whatever the client offers', async () => {
    const { port } = await openDoor();
    const { socket } = await dial(port);
    expect(socket.extensions).toBe('');
  });

  test('a message above 256 KiB ends the connection with 1009, and is never delivered', async () => {
    const { port, accepted } = await openDoor();
    const { socket } = await dial(port);
    const heard = hear(accepted[0] as Channel);
    const end = closed(socket);
    socket.send(new Uint8Array(LIMITS.message));
    socket.send(new Uint8Array(LIMITS.message + 1));
    expect((await end).code).toBe(1009);
    await vi.waitFor(() => expect(heard.closes).toHaveLength(1));
    expect(heard.messages.map((message) => message.length)).toEqual([LIMITS.message]);
  });

  test('a message in many small frames is held to the same limit', async () => {
    const { port, accepted } = await openDoor();
    const { socket } = await dial(port);
    const heard = hear(accepted[0] as Channel);
    const end = closed(socket);
    for (let i = 0; i < 20; i++) socket.send(new Uint8Array(16 * 1024), { fin: false });
    expect((await end).code).toBe(1009);
    expect(heard.messages).toHaveLength(0);
  });

  test('a text frame ends the connection with a reason', async () => {
    const { port, accepted } = await openDoor();
    const { socket } = await dial(port);
    const heard = hear(accepted[0] as Channel);
    const end = closed(socket);
    socket.send('hello');
    expect(await end).toEqual({ code: 1003, reason: 'Only binary messages are spoken here.' });
    await vi.waitFor(() => expect(heard.closes).toHaveLength(1));
    expect(heard.messages).toHaveLength(0);
  });

  test('who asks and does not read is cut at 1 MiB, and costs no more memory', async () => {
    const { port, accepted } = await openDoor();
    const { socket } = await dial(port);
    socket.pause();
    const channel = accepted[0] as Channel;
    const heard = hear(channel);
    let most = 0;
    for (let i = 0; i < 400 && heard.closes.length === 0; i++) {
      channel.send(new Uint8Array(LIMITS.message));
      most = Math.max(most, channel.queued);
      await Promise.resolve();
    }
    expect(heard.closes).toEqual(['The other side stopped reading.']);
    expect(most).toBeLessThan(2 * 1024 * 1024);
  });

  test('another path is 404', async () => {
    const { port } = await openDoor();
    expect((await dial(port, { path: '/' })).outcome).toBe(404);
    expect((await dial(port, { path: '/ws?x=1' })).outcome).toBe('open');
  });

  test('one address gets no more than its share; another still gets in, and so does the first when it has left', async () => {
    const { port, door, accepted } = await openDoor({ perAddress: 3 });
    const first = await Promise.all(Array.from({ length: 3 }, () => dial(port, { from: '192.0.2.1' })));
    expect(first.map(({ outcome }) => outcome)).toEqual(['open', 'open', 'open']);
    expect((await dial(port, { from: '192.0.2.1' })).outcome).toBe(429);
    expect((await dial(port, { from: '192.0.2.2' })).outcome).toBe('open');
    for (const channel of accepted) hear(channel);
    first[0]?.socket.close();
    await vi.waitFor(() => expect(door.counters().sockets).toBe(3));
    expect((await dial(port, { from: '192.0.2.1' })).outcome).toBe('open');
    expect(door.counters()).toEqual({ sockets: 4, accepted: 5, refused: 1 });
  });

  test('a flood is refused beyond the limit of all sockets, and those inside stay', async () => {
    const { port, door } = await openDoor({ sockets: 10 });
    const outcomes = (await Promise.all(Array.from({ length: 40 }, () => dial(port)))).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(10);
    expect(outcomes.filter((outcome) => outcome === 503)).toHaveLength(30);
    expect(door.counters()).toMatchObject({ sockets: 10, refused: 30 });
  });

  test('closing says goodbye, cuts who does not answer, and lets nobody in', async () => {
    const { port, door, accepted } = await openDoor();
    const { socket } = await dial(port);
    hear(accepted[0] as Channel);
    const mute = connect(port, '127.0.0.1'); // speaks HTTP and then nothing more
    mute.write(
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await vi.waitFor(() => expect(accepted).toHaveLength(2));
    const end = closed(socket);
    door.close();
    expect(await end).toEqual({ code: 1001, reason: 'The open node is closing.' });
    expect((await dial(port)).outcome).toBe(503);
    await vi.waitFor(() => expect(door.counters().sockets).toBe(0), 5000);
    mute.destroy();
  });
});

describe('the dialer', () => {
  const signal = new AbortController().signal;

  test('what is no address of an open node is `invalid`', async () => {
    for (const url of ['', 'nonsense', 'ftp://example.org/', 'ws://'])
      await expect(createNodeDialer().dial(url, signal)).rejects.toMatchObject({ code: 'invalid' });
  });

  test('nobody there is `unreachable`', async () => {
    const { port, door } = await openDoor();
    await expect(createNodeDialer().dial(`ws://127.0.0.1:${port}/other`, signal)).rejects.toMatchObject({ code: 'unreachable' });
    door.close();
    await expect(createNodeDialer().dial('ws://127.0.0.1:1/ws', signal)).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('an aborted attempt is `aborted` and leaves no connection', async () => {
    const { port, door } = await openDoor();
    const abort = new AbortController();
    const dialling = createNodeDialer().dial(`ws://127.0.0.1:${port}/ws`, abort.signal);
    abort.abort();
    await expect(dialling).rejects.toMatchObject({ code: 'aborted' });
    await expect(createNodeDialer().dial(`ws://127.0.0.1:${port}/ws`, abort.signal)).rejects.toMatchObject({ code: 'aborted' });
    const kept = await createNodeDialer().dial(`ws://127.0.0.1:${port}/ws`, signal);
    await vi.waitFor(() => expect(door.counters().sockets).toBe(1));
    kept.close();
  });
});
