/** The tokens that neighbours gave us, for what is stored there again and again (docs/protocol.md, rule K4). */
import type { Bytes } from '../base/bytes.ts';
import { hasCode } from '../base/errors.ts';
import type { Clock } from '../base/ports.ts';
import type { NodeId } from '../kademlia/key.ts';
import type { RequestOf } from '../wire/messages.ts';
import type { CallOptions } from './calls.ts';
import type { Link } from './link.ts';
import { trim } from './trim.ts';

export interface TokenBook {
  /** STORE at a linked node, with its last token or a new one. Gives how many nodes have the item now. Rejects as a call does. */
  store(link: Link, request: Omit<RequestOf<'STORE'>, 'token'>, options: CallOptions): Promise<number>;
}

/** A token is good for 5 minutes at least; ours is used a little shorter, as it was on its way for a while. */
const USED_FOR = 240_000;
const MAX_KNOWN = 1024;

export function createTokenBook({ clock }: { clock: Clock }): TokenBook {
  const known = new Map<NodeId, { readonly token: Promise<Bytes>; readonly until: number }>();

  /** The token, and whether it was here already. */
  const tokenOf = (link: Link, options: CallOptions): { token: Promise<Bytes>; old: boolean } => {
    const now = clock.now();
    const present = known.get(link.id);
    if (present && present.until > now) return { token: present.token, old: true };
    const token = link.call('PING', {}, options).then(({ token: fresh }) => new Uint8Array(fresh));
    // Many things that are stored at once ask once.
    known.delete(link.id);
    known.set(link.id, { token, until: now + USED_FOR });
    trim(known, MAX_KNOWN);
    token.catch(() => known.get(link.id)?.token === token && known.delete(link.id)); // The next one asks again.
    return { token, old: false };
  };

  return {
    async store(link, request, options) {
      const { token, old } = tokenOf(link, options);
      try {
        return (await link.call('STORE', { ...request, token: await token }, options)).stored;
      } catch (error) {
        // A node that was started anew does not know its old tokens.
        if (!old || !hasCode(error, 'refused')) throw error;
        known.delete(link.id);
        return (await link.call('STORE', { ...request, token: await tokenOf(link, options).token }, options)).stored;
      }
    },
  };
}
