/** The account of the media on a disk: one book for all tabs that share it, counted anew now and then. */
import { hasCode } from '../base/errors.ts';
import type { Clock, Store } from '../base/ports.ts';
import { decode, encode, struct, uint } from '../base/schema.ts';

/** What is here: groups, bytes of the person's own, bytes of others'. */
export interface Balance {
  readonly groups: number;
  readonly own: number;
  readonly others: number;
}

export interface GroupAccount {
  /** What is here, counted now when the last count is old. */
  read(): Promise<Balance>;
  /** Enters what is to be done, and gives the balance with it. Rejects with `quota` on a full disk. */
  plan(change: Partial<Balance>): Promise<Balance>;
  /** Enters what is done already. A full disk may not take even that: what is here is counted at the next call then. */
  enter(change: Partial<Balance>): Promise<void>;
}

export interface GroupAccountOptions {
  readonly store: Pick<Store, 'get' | 'update'>;
  readonly clock: Clock;
  /** What is here, from the groups themselves. */
  readonly count: () => Promise<Balance>;
}

/** It is counted anew this often, ms: a tab that died while it wrote leaves the account wrong. */
const COUNT_INTERVAL = 600_000;

const KEY = 'groups-account';
const schema = struct<Balance>({
  groups: uint(Number.MAX_SAFE_INTEGER),
  own: uint(Number.MAX_SAFE_INTEGER),
  others: uint(Number.MAX_SAFE_INTEGER),
});
const NOTHING: Balance = { groups: 0, own: 0, others: 0 };

export function createGroupAccount({ store, clock, count }: GroupAccountOptions): GroupAccount {
  let countedAt = Number.NEGATIVE_INFINITY;

  const recount = async (): Promise<Balance> => {
    const counted = await count();
    try {
      await store.update('meta', KEY, () => encode(schema, counted));
      countedAt = clock.now();
    } catch (error) {
      if (!hasCode(error, 'quota')) throw error; // What was counted is right all the same.
    }
    return counted;
  };

  const isOld = (): boolean => clock.now() - countedAt > COUNT_INTERVAL;

  const add = async (change: Partial<Balance>): Promise<Balance> => {
    let balance = NOTHING;
    await store.update('meta', KEY, (kept) => {
      const before = (kept && decode(schema, kept)) ?? NOTHING;
      const sum = (name: keyof Balance): number => Math.max(0, before[name] + (change[name] ?? 0));
      balance = { groups: sum('groups'), own: sum('own'), others: sum('others') };
      return encode(schema, balance);
    });
    return balance;
  };

  return {
    async read() {
      if (isOld()) return recount();
      const kept = await store.get('meta', KEY);
      return (kept && decode(schema, kept)) ?? NOTHING;
    },
    async plan(change) {
      if (isOld()) await recount();
      return add(change);
    },
    async enter(change) {
      try {
        await add(change);
      } catch (error) {
        if (!hasCode(error, 'quota')) throw error;
        countedAt = Number.NEGATIVE_INFINITY;
      }
    },
  };
}
