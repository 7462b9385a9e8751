/**
 * How a closed node is seen from outside (RFC 4787 §4.1). `open`: under its own address · `mapped`: under one outside address, whoever it sends to ·
 * `symmetric`: under another one for each that it sends to, so that two such can't be punched together.
 */
export type Nat = (typeof NATS)[number];

/** All of them; the order is part of the protocol. */
export const NATS = ['open', 'mapped', 'symmetric'] as const;
