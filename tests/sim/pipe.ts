/**
 * A connection between two hosts: ordered and reliable, with latency, lost packets that hold up what is behind them, and partitions. There are a
 * million of them in a large world, so what they do is in functions that they share.
 */
import { type Bytes, EMPTY } from '../../src/base/bytes.ts';
import type { Channel, ChannelListener, Random } from '../../src/base/ports.ts';
import type { Scheduler } from './scheduler.ts';

/** What a pipe needs to know of each of the two hosts that it connects. */
export interface PipeHost {
  readonly name: number;
  readonly up: boolean;
  /** Hosts on different sides of a partition do not hear each other. */
  readonly side: number;
  readonly ends: Set<End>;
}

/** What all pipes of a network share. */
export interface Wires {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** The part of all packets that get lost. */
  readonly loss: number;
  readonly sent: (end: End, message: Bytes) => void;
  readonly arrived: (end: End, message: Bytes) => void;
}

/** One end of a pipe. */
export interface End {
  readonly wires: Wires;
  readonly host: PipeHost;
  readonly latency: number;
  peer: End | null;
  channel: Channel | null;
  open: boolean;
  listener: ChannelListener | null;
  /** When the last thing that was sent from here arrives: nothing overtakes it. */
  arrival: number;
  /** Came before somebody listened. */
  early: Bytes[] | null;
  /** Came while a partition lay between. */
  held: (() => void)[] | null;
}

/** The mean of what a message is late by in queues on its way, ms (exponential). */
const JITTER = 1;
/** The least time, ms, after which a lost packet is sent again: Linux TCP has 200 ms, and browsers' SCTP the double. */
const RETRANSMISSION = 200;
/** Bytes of a message that fit in one packet. */
const PACKET = 1200;

/** Connects two hosts; gives the channel of each. */
export function createPipe(wires: Wires, { a, b, latency }: { a: PipeHost; b: PipeHost; latency: number }): readonly [Channel, Channel] {
  const [one, other] = [createEnd(wires, a, latency), createEnd(wires, b, latency)];
  one.peer = other;
  other.peer = one;
  return [openChannel(one), openChannel(other)];
}

/** Ends this end without a word to the other. Idempotent. */
export function breakEnd(end: End, reason: string): void {
  if (!end.open) return;
  end.open = false;
  end.held = null;
  end.host.ends.delete(end);
  const { listener } = end;
  end.listener = null;
  if (end.host.up) listener?.close(reason);
}

/** True while a partition lies between the two ends. */
export function isCut({ host, peer }: End): boolean {
  return host.side !== peer?.host.side;
}

/** The partition is over: what it held up comes through, in order, when its sender tries again. */
export function release(end: End): void {
  if (!end.held) return;
  end.wires.scheduler.clock.after(RETRANSMISSION + end.latency, () => {
    if (isCut(end) || !end.held) return;
    const waiting = end.held;
    end.held = null;
    for (const run of waiting) run();
  });
}

function createEnd(wires: Wires, host: PipeHost, latency: number): End {
  const end: End = {
    wires,
    host,
    latency,
    peer: null,
    channel: null,
    open: true,
    listener: null,
    arrival: 0,
    early: null,
    held: null,
  };
  host.ends.add(end);
  return end;
}

function openChannel(end: End): Channel {
  end.channel = new PipeChannel(end);
  return end.channel;
}

/** A class, as there are a million of them: closures would weigh three times as much. */
class PipeChannel implements Channel {
  readonly transport = 'memory';
  readonly binding = EMPTY;
  readonly queued = 0; // the wires have no rate: what is sent is on its way
  private readonly end: End;

  constructor(end: End) {
    this.end = end;
  }

  send(message: Bytes): void {
    const { end } = this;
    if (!end.open || !end.host.up) return;
    end.wires.sent(end, message);
    ship(end, message.length, (to) => receive(to, message));
  }

  listen(listener: ChannelListener): void {
    const { end } = this;
    const { early } = end;
    end.listener = listener;
    end.early = null;
    for (const message of early ?? []) listener.message(message);
    if (!end.open) listener.close('the connection ended');
  }

  close(): void {
    const { end } = this;
    if (!end.open) return;
    breakEnd(end, 'closed here');
    if (end.host.up) ship(end, 0, (to) => breakEnd(to, 'closed by the other side'));
  }
}

function ship(end: End, bytes: number, run: (to: End) => void): void {
  const { scheduler, random } = end.wires;
  const late = -JITTER * Math.log(1 - random.float());
  end.arrival = Math.max(end.arrival, scheduler.time() + end.latency + late + lossDelay(end, bytes));
  const to = end.peer as End;
  scheduler.at(end.arrival, () => {
    if (isCut(to) || to.held) hold(to, () => run(to));
    else run(to);
  });
}

function hold(end: End, run: () => void): void {
  if (!end.open) return;
  end.held ??= [];
  end.held.push(run);
}

function receive(end: End, message: Bytes): void {
  end.wires.arrived(end, message);
  if (!end.open || !end.host.up) return;
  if (end.listener) end.listener.message(message);
  else {
    end.early ??= [];
    end.early.push(message);
  }
}

/** Ms that lost packets cost a message: its sender tries again after pauses that double. */
function lossDelay({ wires, latency }: End, bytes: number): number {
  if (wires.loss === 0) return 0;
  const arrives = (1 - wires.loss) ** Math.max(1, Math.ceil(bytes / PACKET));
  let delay = 0;
  let pause = Math.max(RETRANSMISSION, 2 * latency);
  while (wires.random.float() >= arrives) {
    delay += pause;
    pause *= 2;
  }
  return delay;
}
