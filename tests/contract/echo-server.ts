/** A WebSocket server whose paths behave as the dialer contract needs them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';

/**
 * `/echo` sends everything back · `/bye` closes with the reason “enough” at the first message · `/slow` reads nothing for 150 ms ·
 * `/sink/x` counts bytes · `/count/x` tells how many came to `/sink/x`, as decimal digits, once that has closed · `/hang` never answers.
 */
export async function startEchoServer(): Promise<{ url: string; close(): Promise<void> }> {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const hanging = new Set<Duplex>(); // the HTTP server knows nothing of them any more, but waits for their end
  const sinks = new Map<string, PromiseWithResolver>();
  const sink = (name: string): PromiseWithResolver => {
    const known = sinks.get(name) ?? withResolver();
    sinks.set(name, known);
    return known;
  };

  http.on('upgrade', (request, socket, head) => {
    const [, kind, name = ''] = (request.url ?? '').split('/');
    if (kind === 'hang') {
      hanging.add(socket);
      socket.on('error', () => undefined);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      let received = 0;
      if (kind === 'slow') {
        client.pause();
        setTimeout(() => client.resume(), 150);
      }
      client.on('message', (data, isBinary) => {
        received += (data as Buffer).length;
        if (kind === 'echo') client.send(data as Buffer, { binary: isBinary });
        if (kind === 'bye') client.close(1001, 'enough');
      });
      client.on('close', () => kind === 'sink' && sink(name).resolve(received));
      if (kind === 'count') sink(name).promise.then((count) => client.send(Buffer.from(String(count))));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        for (const client of sockets.clients) client.terminate();
        for (const socket of hanging) socket.destroy();
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

interface PromiseWithResolver {
  readonly promise: Promise<number>;
  resolve(value: number): void;
}

function withResolver(): PromiseWithResolver {
  let resolve: (value: number) => void = () => undefined;
  const promise = new Promise<number>((yes) => {
    resolve = yes;
  });
  return { promise, resolve };
}
