/** Every number that a node's behaviour turns on, with its unit and its reason. Times are milliseconds. */
export interface NodeSettings {
  /** Contacts in a bucket, and nodes that store a small item (Kademlia's k). */
  readonly k: number;
  /** Calls of a lookup under way at once (Kademlia's α). */
  readonly alpha: number;
  /** Links at most; what is over is closed, least useful first. */
  readonly budget: number;
  /** How lookups are run. Recursive: each node passes the question on to a nearer one. Iterative: the asking node asks one after the other. */
  readonly lookupStyle: 'recursive' | 'iterative';
  /** Recursive lookups under way at once for one question, each by another first hop. */
  readonly routes: number;
  /** Nearest nodes that we keep links to: a few more than k, so that the one nearest to a key knows all k that are. */
  readonly neighbours: number;
  /** Links kept in each farther bucket. */
  readonly farLinks: number;
  /** Disks, besides the publisher's, that keep each group. */
  readonly copies: number;
  /** A link that we sent nothing on for this long gets a sign of life; 0 switches heartbeats off (the simulator's links report their own end). */
  readonly heartbeat: number;
  /** A link that we heard nothing on for this long is dead. A sign may be lost to a throttled timer before it. */
  readonly silence: number;
  /**
   * The first of the two for WebSockets, to begin with: the system tells of most of their ends, a call without an answer of many others, and a sign there and
   * back costs 250 bytes with all that is around it. Below the 60 s after which a proxy ends what it believes idle.
   */
  readonly socketHeartbeat: number;
  /** What it grows to on a link that bears it: below the 5 min after which the most forgetful of the usual NATs drop a connection. */
  readonly socketHeartbeatMost: number;
  /** For HELLO and PROOF both ways. */
  readonly handshakeDeadline: number;
  /** For one call on a link. */
  readonly callDeadline: number;
  /** For one hop of a recursive lookup, the way back from all later ones included. */
  readonly routeDeadline: number;
  /** For a call that others carry: each hop adds its own delay. */
  readonly relayDeadline: number;
  /** For dialling or punching, handshake included. */
  readonly connectDeadline: number;
  /** A media stream on which nothing came for this long has failed. */
  readonly stallDeadline: number;
  /** No first byte of a segment after this long: a second holder is asked. */
  readonly hedgeDelay: number;
  /** Between two links that are opened only to better the far buckets; up to ten times longer while there is nothing to better. */
  readonly tendInterval: number;
  /** A bucket not looked up for this long is refreshed (Kademlia §2.3). */
  readonly refreshInterval: number;
  /** Stored items are sent again to the nodes nearest to them (Kademlia §2.5). */
  readonly republishInterval: number;
  /** A slow look at the groups that we keep; a lost link leads to a look at once. */
  readonly repairInterval: number;
  /** A holder whose link ended is waited for so long before another copy is made: most tabs come back, with their disk. */
  readonly returnWait: number;
}

/** For a tab on a desktop computer. */
export const DEFAULT_SETTINGS: NodeSettings = {
  k: 20,
  alpha: 3,
  budget: 64,
  lookupStyle: 'recursive',
  routes: 2,
  neighbours: 24,
  farLinks: 4,
  copies: 5,
  heartbeat: 2_500,
  silence: 6_000,
  socketHeartbeat: 45_000,
  socketHeartbeatMost: 240_000,
  handshakeDeadline: 8_000,
  callDeadline: 5_000,
  routeDeadline: 3_000,
  relayDeadline: 8_000,
  connectDeadline: 15_000,
  stallDeadline: 8_000,
  hedgeDelay: 2_000,
  tendInterval: 60_000,
  refreshInterval: 3_600_000,
  republishInterval: 3_600_000,
  repairInterval: 300_000,
  returnWait: 60_000,
};
