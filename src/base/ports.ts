/**
 * What the core needs of the world outside. Each port has one file for each place that implements it (`browser/`,
 * `signal-server/`, `tests/sim/`) and one contract suite that all of them run (`tests/contract/`).
 */
import type { Bytes } from './bytes.ts';
import type { Nat } from './nat.ts';
import type { Conversion, CutEvent, MediaProbe, PreviewSheets, StillPicture, VideoQuality } from './transcoding.ts';

export type {
  AudioProbe,
  Conversion,
  CutEvent,
  CutRendition,
  MediaProbe,
  PreviewSheets,
  StillPicture,
  VideoProbe,
  VideoQuality,
} from './transcoding.ts';

/** Undoes a timer or a subscription. Calling it again does nothing. */
export type Cancel = () => void;

/** Time. Never goes backwards while the process lives. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Calls `run` once, `ms` milliseconds from now or a little later. */
  after(ms: number, run: () => void): Cancel;
}

/** Randomness: unpredictable in a tab, seeded in the simulator. */
export interface Random {
  bytes(length: number): Bytes;
  /** Uniform in [0, 1). */
  float(): number;
}

/** SHA-256 and Ed25519 verification. */
export interface Crypto {
  /** SHA-256 of something small (up to about 16 KiB), at once. */
  hash(bytes: Uint8Array): Bytes;
  /** SHA-256 of bulk bytes; may run elsewhere. */
  digest(bytes: Bytes): Promise<Bytes>;
  /** False for a bad signature, a bad key, or lengths that are not 32 and 64; never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** An Ed25519 key pair that signs; its private half stays behind this port. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Bytes;
  /** 64 bytes. */
  sign(message: Uint8Array): Promise<Bytes>;
}

/** Seals small messages to a node's key, so that whoever carries them can't read them. */
export interface Sealer {
  /** To the owner of an Ed25519 key. Adds 48 bytes. Rejects with `invalid` for bytes that are no such key. */
  seal(publicKey: Uint8Array, message: Uint8Array): Promise<Bytes>;
  /** What was sealed to our own key; null for anything else. */
  unseal(sealed: Uint8Array): Promise<Bytes | null>;
}

/**
 * A raw connection as a transport gives it: ordered, reliable, message by message, with nobody proven at its other end yet.
 * Messages that arrive before `listen` is called are kept for it.
 */
export interface Channel {
  readonly transport: 'webrtc' | 'websocket' | 'memory';
  /**
   * What ties the HELLO signature to this very connection, the same bytes on both sides: on WebRTC both DTLS
   * fingerprints, the lesser first; empty where the transport has nothing to tie to.
   */
  readonly binding: Bytes;
  /** Queues one message of at most 256 KiB. Does nothing when closed. The bytes must not change afterwards. */
  send(message: Bytes): void;
  /** Bytes queued here and not yet handed to the network. */
  readonly queued: number;
  /** May be called once. `drain` comes when `queued` has fallen to 64 KiB or less; `close` comes once, also for our own `close()`. */
  listen(listener: ChannelListener): void;
  /** Sends what is queued if it can, then closes. Idempotent. */
  close(): void;
}

/** What a channel tells its one listener. */
export interface ChannelListener {
  message(message: Bytes): void;
  drain(): void;
  close(reason: string): void;
}

/** Dials open nodes. */
export interface Dialer {
  /** Opens a connection to an open node's `ws:` or `wss:` address. Rejects with `unreachable`, `aborted` or `invalid`. */
  dial(url: string, signal: AbortSignal): Promise<Channel>;
}

/** Opens direct connections to closed nodes, by offers and answers that somebody else carries. */
export interface Puncher {
  /**
   * Starts one side of a connection. `emit` gets each thing (offer, answer, late candidate) that the other side must be told,
   * in order; what the other side emits goes to `accept`.
   */
  start(options: { initiator: boolean; emit: (signal: string) => void }): Punch;
  /** What stands between this computer and the rest, as far as connections have shown it; null as long as they have not. */
  readonly nat: Nat | null;
  /** A relay (TURN) stands by: then any two can be connected. */
  readonly relays: boolean;
}

export interface Punch {
  /** A signal of the other side. Nonsense makes `opened` reject; never throws. */
  accept(signal: string): void;
  /** The open channel; rejects with `unreachable` (no path, bad signal) or `closed` (our own `close`). */
  readonly opened: Promise<Channel>;
  /** Gives up, or does nothing when `opened` has been reached. Idempotent. */
  close(): void;
}

/** Opens a direct connection by one description each way, which a person carries: minutes may lie between the two. */
export interface Pairer {
  /** The first side. */
  offer(): Pairing;
  /** The second side: it answers what the first one described, and goes on trying until the first one has the answer. */
  answer(offer: Endpoint): Pairing;
}

export interface Pairing {
  /** What the other side must be told, whole. Rejects with `unreachable` when this device has no address, `internal`, or `closed`. */
  readonly own: Promise<Endpoint>;
  /** The answer, for who offered, once. From here on the connection has seconds to open. */
  accept(answer: Endpoint): void;
  /** The open channel; rejects with `unreachable` (no path, or a description that the browser refuses) or `closed` (our own `close`). */
  readonly opened: Promise<Channel>;
  /** Gives up, or does nothing when `opened` has been reached. Idempotent. */
  close(): void;
}

/** One end of a connection, as the other one has to know it (RFC 8445, RFC 8122). */
export interface Endpoint {
  /** ICE's user name fragment and password: letters, digits, `+` and `/`. */
  readonly user: string;
  readonly password: string;
  /** SHA-256 of the DTLS certificate, 32 bytes. */
  readonly fingerprint: Bytes;
  /** The best first. */
  readonly candidates: readonly Candidate[];
}

/** An address where an end may be reached. */
export interface Candidate {
  readonly kind: 'host' | 'srflx' | 'relay';
  /** A TCP candidate is one that waits to be connected to. */
  readonly protocol: 'udp' | 'tcp';
  /** `mdns`: the 16 bytes of the UUID in `<UUID>.local`, which stands for an address that the browser hides. */
  readonly family: 'ipv4' | 'ipv6' | 'mdns';
  /** 4 or 16 bytes. */
  readonly address: Bytes;
  readonly port: number;
}

/**
 * A disk: named tables of small keys and byte values. Keys are text, ordered by code unit. Two nodes may share one
 * (tabs of one browser), so whoever reads, changes and writes back uses `update`.
 */
export interface Store {
  get(table: StoreTable, key: string): Promise<Bytes | null>;
  /** All of the writes or none of them. A null value deletes. Rejects with `quota` when the disk is full, and then nothing changed. */
  write(changes: readonly StoreChange[]): Promise<void>;
  /** One atomic read and write. `change` gets the present value or null and returns the next; null deletes; it must not wait. */
  update(table: StoreTable, key: string, change: (before: Bytes | null) => Bytes | null): Promise<Bytes | null>;
  /** All entries whose key starts with `prefix`, in key order. */
  entries(table: StoreTable, prefix?: string): Promise<readonly (readonly [key: string, value: Bytes])[]>;
  /** As `entries`, without reading the values. */
  keys(table: StoreTable, prefix?: string): Promise<readonly string[]>;
  /** What the platform grants all of this origin, in bytes. */
  capacity(): Promise<{ granted: number; used: number }>;
  close(): void;
}

/**
 * `items`: values, records and set entries that the overlay asked us to keep · `groups`: a descriptor and its bookkeeping for
 * each group · `segments`: media bytes · `library`: what this browser's person published and watched · `meta`: everything else.
 */
export type StoreTable = 'items' | 'groups' | 'segments' | 'library' | 'meta';

/** All tables, for whoever makes or empties them. */
export const STORE_TABLES: readonly StoreTable[] = ['items', 'groups', 'segments', 'library', 'meta'];

/** One write. A null value deletes. */
export interface StoreChange {
  readonly table: StoreTable;
  readonly key: string;
  readonly value: Bytes | null;
}

/** What speaks against lending the processor to others. */
export interface HelpConditions {
  current(): { readonly onBattery: boolean; readonly metered: boolean };
  /** Called when one of them may have changed. */
  onChange(listener: () => void): Cancel;
}

/** A file that can be read in pieces. A browser's `File` is one. */
export interface SourceFile {
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970; left out where nobody knows. */
  readonly lastModified?: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** Files that a person chose, to be found again when the page has been closed and opened. Names are the caller's. */
export interface FileKeeper {
  /** Keeps the way to a file, or a small file itself. Resolves to false where neither can be; never rejects. */
  keep(name: string, file: SourceFile): Promise<boolean>;
  /** `ready`: `open` asks nobody · `asks`: it asks the person, and must follow from a press · `none`: nothing is kept. */
  state(name: string): Promise<'ready' | 'asks' | 'none'>;
  /** The file as it is now. Rejects with `refused` when the person or the browser says no, and `not-found` when it is gone. */
  open(name: string): Promise<SourceFile>;
  /** Never rejects. */
  remove(name: string): Promise<void>;
}

/** Names of which one tab of a browser at a time can have each. */
export interface Locks {
  /** Takes the name, and gives how to let it go; null while another one has it. It goes by itself with the tab. */
  take(name: string): Promise<Cancel | null>;
  /** The same as soon as the name is free. Rejects with `aborted`. */
  wait(name: string, signal: AbortSignal): Promise<Cancel>;
}

/** The other tabs of this browser, which have the same disk. */
export interface Siblings {
  /** Says to them that this row of the disk has changed. */
  tell(row: string): void;
  /** Called when another tab says so, with the row's name; never for what this one says. */
  listen(listener: (row: string) => void): Cancel;
}

/** Turns a person's file into renditions of segments. */
export interface Transcoder {
  /** Reads the file's headers only. Rejects with `unsupported` (not a video, damaged: the message says which) or `aborted`. */
  probe(file: SourceFile, signal: AbortSignal): Promise<MediaProbe>;
  /**
   * Cuts, transcoding first where `probe` said so. Ends after `done`; breaking out or aborting frees everything. A slow reader
   * holds it back, so memory stays flat. Throws `unsupported`, `aborted`, `missing-feature` or `internal`. `kept` says how many segments of
   * each rendition the caller has from an earlier time: it goes on behind them where it can, and says in `rendition` where it does.
   */
  cut(file: SourceFile, signal: AbortSignal, kept?: readonly number[]): AsyncIterable<CutEvent>;
  /**
   * Makes the picture of a file that was cut once more, in another quality: one rendition, cut where `quality` says. It ends where the cut
   * one ends. Events, ends and errors as of `cut`; `invalid` for a quality that no video can have. There is no poster.
   */
  encode(file: SourceFile, quality: VideoQuality, signal: AbortSignal): AsyncIterable<CutEvent>;
  /** Whether `encode` is quick: done by the platform's own codecs, several times as fast as the converter. Rejects as `probe`. */
  isQuick(file: SourceFile, quality: VideoQuality, signal: AbortSignal): Promise<boolean>;
  /**
   * Runs the converter, with one thread, on a file in memory: same bytes and arguments in, same bytes out, wherever it runs. Aborting ends it at once. Rejects
   * with `unsupported` (it can't be converted), `too-large` (more than `most` came out), `aborted` or `missing-feature`.
   */
  convert(conversion: Conversion, signal: AbortSignal): Promise<Bytes>;
  /** Whether a whole MP4 of video can be decoded, to so many pictures; null where this platform can't tell. Rejects with `aborted`. */
  decodes(video: Bytes, pictures: number, signal: AbortSignal): Promise<boolean | null>;
  /**
   * Up to three pictures from all over the video, none of them black if that can be helped. Empty without a picture. Rejects as `probe`.
   */
  pictures(file: SourceFile, signal: AbortSignal): Promise<readonly StillPicture[]>;
  /**
   * Tiles from key frames all over the video; null without a picture, or where it can't be decoded. Rejects as `probe`.
   */
  sheets(file: SourceFile, signal: AbortSignal): Promise<PreviewSheets | null>;
  /** A picture file of any kind that the browser decodes, cut to `aspect` (width over height) and made small. Rejects with `unsupported`. */
  still(picture: SourceFile, aspect: number): Promise<StillPicture>;
}
