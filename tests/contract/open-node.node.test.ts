/** The open node's implementations of the ports. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll } from 'vitest';
import { nodeClock } from '../../signal-server/clock.ts';
import { createNodeCrypto, openSigner } from '../../signal-server/crypto.ts';
import { createMemoryStore } from '../../signal-server/memory-store.ts';
import { nodeRandom } from '../../signal-server/random.ts';
import { createNodeDialer, createSocketDoor, SOCKET_LIMITS, type SocketDoor } from '../../signal-server/websocket.ts';
import type { Channel } from '../../src/base/ports.ts';
import { channelContract } from './channel.ts';
import { clockContract, randomContract } from './clock.ts';
import { cryptoContract } from './crypto.ts';
import { storeContract } from './store.ts';

clockContract('Node', nodeClock);
randomContract('Node', nodeRandom);
cryptoContract('node:crypto', { create: createNodeCrypto, createSigner: async () => openSigner(null) });
storeContract('memory', { open: async () => createMemoryStore(64 * 1024 * 1024), shared: false });

let http: Server;
let door: SocketDoor;
let onAccept: (channel: Channel) => void = () => undefined;
beforeAll(async () => {
  door = createSocketDoor(SOCKET_LIMITS, (channel) => onAccept(channel));
  http = createServer();
  http.on('upgrade', door.upgrade);
  await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  door.close();
  await new Promise((resolve) => http.close(resolve));
});

channelContract('ws to ws', async () => {
  const accepted = new Promise<Channel>((resolve) => {
    onAccept = resolve;
  });
  const { port } = http.address() as AddressInfo;
  const dialled = await createNodeDialer().dial(`ws://127.0.0.1:${port}/ws`, new AbortController().signal);
  return [dialled, await accepted];
});
