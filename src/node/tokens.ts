/** Tokens that a node must fetch from us before it may STORE here: whoever holds one can receive at the id it claims (rule K). */
import { type Bytes, concat, equal, fromUtf8 } from '../base/bytes.ts';
import type { Clock, Crypto, Random } from '../base/ports.ts';
import type { NodeId } from '../kademlia/key.ts';
import { TOKEN_BYTES } from '../wire/messages.ts';

/** A secret serves this long, and is honoured for as long again: a token is good for 5 to 10 minutes, which covers any lookup. */
const ROTATION = 300_000;
const SECRET_BYTES = 16;

export interface Tokens {
  issue(to: NodeId): Bytes;
  check(from: NodeId, token: Uint8Array): boolean;
}

export function createTokens(options: { clock: Clock; random: Random; crypto: Crypto }): Tokens {
  let current = options.random.bytes(SECRET_BYTES);
  let previous = current;
  let since = options.clock.now();

  const rotate = (): void => {
    const turns = Math.floor((options.clock.now() - since) / ROTATION);
    if (turns < 1) return;
    previous = turns === 1 ? current : options.random.bytes(SECRET_BYTES);
    current = options.random.bytes(SECRET_BYTES);
    // In step with the clock, not with when we are asked: else a token could live twice as long.
    since += turns * ROTATION;
  };
  const make = (secret: Bytes, id: NodeId): Bytes => options.crypto.hash(concat(secret, fromUtf8(id))).slice(0, TOKEN_BYTES);

  return {
    issue(to) {
      rotate();
      return make(current, to);
    },
    check(from, token) {
      rotate();
      return equal(token, make(current, from)) || equal(token, make(previous, from));
    },
  };
}
