/** Every size limit of the protocol, in one table (docs/protocol.md §2). Bytes unless said. */
export const LIMITS = {
  /** One message on a link: what an RTCDataChannel takes in every browser. */
  message: 256 * 1024,
  /** A request or response that other nodes carry for us. */
  relayed: 16 * 1024,
  /** An immutable value. Leaves room for a FIND_VALUE reply with contacts around it inside `relayed`. */
  value: 12 * 1024,
  /** A record's value. */
  recordValue: 4 * 1024,
  /** A set entry's value. */
  entryValue: 1024,
  /** Set entries in one reply, in bytes: what is left of `relayed`. */
  entriesReply: 12 * 1024,
  /** Entries that a storing node keeps under one topic, and of them from one writer (items). */
  entriesPerTopic: 512,
  entriesPerWriter: 32,
  /** Devices in a vector clock (items). */
  clockDevices: 16,
  /** Contacts in a reply (items): all neighbours of a node and some more. */
  contacts: 32,
  /** Nodes that one STORE may be spread over (items). */
  replicas: 32,
  /** Open nodes named in a reply (items). */
  openNodes: 4,
  /** All segments of a group together, and the time they span (seconds). */
  group: 16 * 1024 * 1024,
  groupSeconds: 40,
  /** Segments in a group (items). */
  groupSegments: 64,
  /** What is to be made of a segment, as a job says it; and the initialisation segment that comes back. */
  job: 8 * 1024,
  init: 4 * 1024,
  /** Jobs that a helper does at once (items). */
  helperSlots: 16,
  /** One thing that two sides of a connection tell each other while it opens: an offer with all its candidates is below 4 KiB. */
  signal: 8 * 1024,
  /** Of them in one letter (items). */
  signals: 16,
  /** A letter as it travels, sealed. Leaves room for what is around it inside `relayed`. */
  letter: 12 * 1024,
} as const;
