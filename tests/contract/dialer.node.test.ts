import { afterAll, beforeAll } from 'vitest';
import { createNodeDialer } from '../../signal-server/websocket.ts';
import { dialerContract } from './dialer.ts';
import { startEchoServer } from './echo-server.ts';

let server: Awaited<ReturnType<typeof startEchoServer>>;
beforeAll(async () => {
  server = await startEchoServer();
});
afterAll(() => server.close());

dialerContract('Node', { dialer: createNodeDialer(), url: () => server.url });
