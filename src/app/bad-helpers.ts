/** Helpers that gave something wrong: kept on this disk, so that a reload does not forget them. */
import type { Clock, Store } from '../base/ports.ts';
import { decode, encode, list, struct, time } from '../base/schema.ts';
import { keySchema, type NodeId } from '../kademlia/key.ts';

export interface BadHelpers {
  has(id: NodeId): boolean;
  /** Not to be asked for a week. */
  note(id: NodeId): void;
}

/** Milliseconds. A node that was taken over, or broken, may be well again. */
const LIFE = 7 * 86_400_000;
/** Nodes that are remembered: the oldest go first. */
const MOST = 256;
const ROW = 'bad-helpers';

interface Entry {
  readonly id: NodeId;
  readonly until: number;
}

const rowSchema = list(struct<Entry>({ id: keySchema, until: time }), MOST);

/** Reads what is kept; what can't be read is as if there were none. */
export async function openBadHelpers({ store, clock }: { readonly store: Store; readonly clock: Clock }): Promise<BadHelpers> {
  const kept = await store.get('meta', ROW).catch(() => null);
  let entries: readonly Entry[] = (kept && decode(rowSchema, kept)) ?? [];
  return {
    has: (id) => entries.some((entry) => entry.id === id && entry.until > clock.now()),
    note(id) {
      const others = entries.filter((entry) => entry.id !== id && entry.until > clock.now());
      entries = [...others, { id, until: clock.now() + LIFE }].slice(-MOST);
      store.write([{ table: 'meta', key: ROW, value: encode(rowSchema, entries) }]).catch(() => undefined); // This tab remembers it all the same.
    },
  };
}
