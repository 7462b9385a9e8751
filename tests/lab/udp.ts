/** UDP sockets in a namespace of the lab. */
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startService } from './command.ts';

const PROGRAM = fileURLToPath(new URL('udp.mjs', import.meta.url));
/** For a socket to open (ms). */
const OPEN_TIMEOUT = 10_000;

/** A message that arrived, and where it came from as the receiver sees it. */
export interface Datagram {
  readonly text: string;
  readonly address: string;
  readonly port: number;
  /** Milliseconds on this machine's clock. */
  readonly at: number;
  /** What came of a flood before it: the number of each message, and when it left and arrived. */
  readonly series: readonly (readonly [number: number, left: number, arrived: number])[];
}

/** An address and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** One socket. */
export interface UdpSocket {
  readonly port: number;
  /** All that arrived so far, in order. */
  readonly received: readonly Datagram[];
  send(text: string, to: Endpoint): void;
  /** Sends `count` messages of `size` bytes, one each `every` ms; each begins with its number and the time at which it left. Resolves when all have left. */
  flood(to: Endpoint, options: { count: number; every: number; size: number }): Promise<void>;
  /** The first message that passes, of those there and those to come; null when none has come after so many ms. */
  next(passes: (datagram: Datagram) => boolean, timeout: number): Promise<Datagram | null>;
}

/** What went through a device so far, as the kernel counts: a program would miss what it is too slow to read. */
export interface DeviceCounts {
  /** Packets that left by it. */
  readonly sent: number;
  /** Packets that came by it, and their bytes with IP headers. */
  readonly arrived: number;
  readonly bytes: number;
  /** Milliseconds on this machine's clock. */
  readonly at: number;
}

/** Sockets in one namespace. */
export interface UdpHost {
  /** Opens one; port 0 is any. */
  open(at: Endpoint): Promise<UdpSocket>;
  count(device: string): Promise<DeviceCounts>;
  close(): Promise<void>;
}

/** Starts the program that has the sockets. Close it. */
export function startUdpHost(namespace: string): UdpHost {
  const service = startService('nice', ['-n', '-15', 'ip', 'netns', 'exec', namespace, process.execPath, PROGRAM]); // its times must be true
  const arrivals = new Map<string, { received: Datagram[]; waiting: Set<() => void> }>();
  const flooded = new Map<string, () => void>();
  const counted = new Map<string, (counts: DeviceCounts) => void>();
  const opened = new Map<string, (port: number | Error) => void>();
  let sockets = 0;

  createInterface({ input: service.process.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    const said = JSON.parse(line) as {
      got?: string;
      flooded?: string;
      counted?: string;
      opened?: string;
      failed?: string;
      message?: string;
    } & Datagram &
      DeviceCounts;
    if (said.opened !== undefined) opened.get(said.opened)?.(said.port);
    else if (said.failed !== undefined) opened.get(said.failed)?.(new Error(`No UDP socket in ${namespace}: ${said.message}`));
    else if (said.flooded !== undefined) flooded.get(said.flooded)?.();
    else if (said.counted !== undefined) counted.get(said.counted)?.(said);
    const socket = said.got === undefined ? undefined : arrivals.get(said.got);
    if (!socket) return;
    const { text, address, port, at, series } = said;
    socket.received.push({ text, address, port, at, series });
    for (const look of socket.waiting) look();
  });
  const order = (what: object): void => void service.process.stdin?.write(`${JSON.stringify(what)}\n`);

  return {
    async open(at) {
      const name = String(++sockets);
      const own = { received: [] as Datagram[], waiting: new Set<() => void>() };
      arrivals.set(name, own);
      const port = await new Promise<number>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`No UDP socket opened in ${namespace} in time.`)), OPEN_TIMEOUT);
        opened.set(name, (outcome) => {
          clearTimeout(timer);
          if (typeof outcome === 'number') resolve(outcome);
          else reject(outcome);
        });
        order({ open: name, ...at });
      });
      return {
        port,
        received: own.received,
        send: (text, { address, port }) => order({ send: name, text, address, port }),
        flood: ({ address, port }, options) =>
          new Promise((resolve) => {
            flooded.set(name, resolve);
            order({ flood: name, ...options, address, port });
          }),
        next(passes, timeout) {
          return new Promise((resolve) => {
            const finish = (found: Datagram | null): void => {
              clearTimeout(timer);
              own.waiting.delete(look);
              resolve(found);
            };
            const look = (): void => {
              const found = own.received.find(passes);
              if (found) finish(found);
            };
            const timer = setTimeout(() => finish(null), timeout);
            own.waiting.add(look);
            look();
          });
        },
      };
    },
    count: (device) =>
      new Promise((resolve) => {
        counted.set(device, resolve);
        order({ count: device });
      }),
    close: () => service.stop(),
  };
}
