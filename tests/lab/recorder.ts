/** What a page notes down for the lab: when its node joined and linked up, each RTCPeerConnection in its life, and what it and open nodes say. It changes nothing. */
import type { BrowserContext, Page } from 'playwright-core';
import type { NodeId } from '../../src/kademlia/key.ts';

/** One RTCPeerConnection. Times are milliseconds since 1970. */
export interface ConnectionNote {
  readonly made: number;
  /** When ICE and DTLS were done. */
  readonly connected: number | null;
  /** When its data channel opened. */
  readonly opened: number | null;
  readonly closed: number | null;
  /** Whether the other side's description came. */
  readonly answered: boolean;
  /** The types of both ends' addresses on the way that was taken (RFC 8445): `host`, `srflx`, `prflx`, `relay`. */
  readonly local: string | null;
  readonly remote: string | null;
}

/** One message on a WebSocket to an open node. */
export interface MessageNote {
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** False: it came. */
  readonly sent: boolean;
  /** Base64. */
  readonly bytes: string;
}

/** What one page noted. Times are milliseconds since 1970. */
export interface PageNotes {
  readonly joined: number | null;
  /** The first time at which each node was linked. */
  readonly linked: Readonly<Record<NodeId, number>>;
  readonly connections: readonly ConnectionNote[];
  readonly messages: readonly MessageNote[];
}

interface Recorder {
  notes(): Promise<PageNotes>;
}

type RecordedWindow = Window & { kadreelLab?: Recorder };

/** How often the node is looked at (ms): the error of its times. */
const LOOK_INTERVAL = 5;
/** For a connection's statistics (ms). */
const STATS_TIMEOUT = 1_000;

/** Has all pages of a browser context take notes from their start on. */
export async function recordIn(context: BrowserContext): Promise<void> {
  await context.addInitScript(record, { interval: LOOK_INTERVAL, patience: STATS_TIMEOUT });
}

/** The notes of a page so far. */
export async function readNotes(page: Page): Promise<PageNotes> {
  const notes = await page.evaluate(() => (window as RecordedWindow).kadreelLab?.notes());
  if (!notes) throw new Error('This page takes no notes: it was opened outside the lab.');
  return notes;
}

function record({ interval, patience }: { interval: number; patience: number }): void {
  interface Note {
    readonly made: number;
    connected: number | null;
    opened: number | null;
    closed: number | null;
    answered: boolean;
    readonly pc: WeakRef<RTCPeerConnection>;
  }
  const now = (): number => performance.timeOrigin + performance.now();
  const notes: Note[] = [];
  const linked: Record<string, number> = {};
  let joined: number | null = null;

  const Plain = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Plain {
    readonly #note: Note;
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      this.#note = { made: now(), connected: null, opened: null, closed: null, answered: false, pc: new WeakRef(this) };
      notes.push(this.#note);
      this.addEventListener('connectionstatechange', () => {
        if (this.connectionState === 'connected') this.#note.connected ??= now();
        if (this.connectionState === 'failed') this.#note.closed ??= now();
      });
      this.addEventListener('datachannel', ({ channel }) => this.#watch(channel));
    }
    override createDataChannel(label: string, init?: RTCDataChannelInit): RTCDataChannel {
      return this.#watch(super.createDataChannel(label, init));
    }
    override close(): void {
      this.#note.closed ??= now();
      this.#note.answered ||= this.remoteDescription !== null;
      super.close();
    }
    #watch(channel: RTCDataChannel): RTCDataChannel {
      const note = (): void => {
        this.#note.opened ??= now();
      };
      if (channel.readyState === 'open') note();
      else channel.addEventListener('open', note);
      return channel;
    }
  };

  const messages: MessageNote[] = [];
  const base64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  const PlainSocket = window.WebSocket;
  window.WebSocket = class extends PlainSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener('message', ({ data }) => {
        if (data instanceof ArrayBuffer) messages.push({ url: this.url, at: now(), sent: false, bytes: base64(new Uint8Array(data)) });
      });
    }
    override send(data: Parameters<WebSocket['send']>[0]): void {
      if (data instanceof Uint8Array) messages.push({ url: this.url, at: now(), sent: true, bytes: base64(data) });
      super.send(data);
    }
  };

  const look = (): void => {
    const stats = window.kadreel?.node.stats();
    if (stats && stats.links.openNodes > 0) joined ??= now();
    for (const id of stats?.linked ?? []) linked[id] ??= now();
    setTimeout(look, interval);
  };
  look();

  /** The two ends of the way that ICE has chosen. */
  const way = async (pc: RTCPeerConnection | undefined): Promise<{ local: string | null; remote: string | null }> => {
    const stats = new Map<string, Record<string, unknown>>();
    if (pc && pc.connectionState !== 'closed') {
      // A connection that is closed meanwhile never gives its statistics.
      const late = new Promise<[]>((resolve) => setTimeout(resolve, patience, []));
      for (const [id, one] of await Promise.race([pc.getStats(), late])) stats.set(id, one as Record<string, unknown>);
    }
    const transport = [...stats.values()].find(({ type }) => type === 'transport');
    const pair = stats.get(String(transport?.selectedCandidatePairId));
    const type = (id: unknown): string | null => (stats.get(String(id))?.candidateType as string | undefined) ?? null;
    return { local: type(pair?.localCandidateId), remote: type(pair?.remoteCandidateId) };
  };

  (window as RecordedWindow).kadreelLab = {
    async notes() {
      const connections = notes.map(async ({ pc, ...note }) => {
        const alive = pc.deref();
        return { ...note, answered: note.answered || Boolean(alive?.remoteDescription), ...(await way(alive)) };
      });
      return { joined, linked, connections: await Promise.all(connections), messages };
    },
  };
}
