/** What a person chose about helping and being helped with transcodes: kept on this disk, and in use in all tabs from the moment it is changed. */
import { fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Siblings, Store } from '../base/ports.ts';
import { boolean, decode, encode, float, struct, uint } from '../base/schema.ts';

/** What a person may set about transcodes that several make, besides the switch. */
export interface HelpTuning {
  /** Jobs that this tab does at once for others, one processor core each: 1 to 16. */
  readonly slots: number;
  /**
   * Of what helpers make for this tab's own videos: the share, 0 to 1, that is made twice and compared. Of what it
   * watches (docs/protocol.md, J11) twice as much. Holds for what is made from then on.
   */
  readonly checkShare: number;
}

/** As the person chose. */
export interface HelpSettings extends HelpTuning {
  readonly on: boolean;
}

export interface HelpSettingsKeeper {
  readonly current: HelpSettings;
  /** Keeps these instead of what they name. Rejects with `invalid` (a message for a person) or `quota`, and then nothing changed. */
  change(changes: Partial<HelpSettings>): Promise<void>;
  /** Called after each change, also one that another tab made, and when the disk has been read. */
  onChange(listener: () => void): void;
}

const ROW = 'help-transcoding';
const rowSchema = struct<HelpSettings>({ on: boolean, slots: uint(LIMITS.helperSlots), checkShare: float });
/** As it was written before there was more to choose. */
const firstRowSchema = struct<Pick<HelpSettings, 'on'>>({ on: boolean });
/** Off until the person switches it on. One job leaves the rest of the computer to the person; the share is that of design §9. */
const USUAL: HelpSettings = { on: false, slots: 1, checkShare: 0.05 };

/** The usual ones until the disk has been read, or where it can't be. */
export function createHelpSettings({ store, siblings }: { readonly store: Store; readonly siblings: Siblings }): HelpSettingsKeeper {
  const listeners = new Set<() => void>();
  let current = USUAL;
  const use = (next: HelpSettings): void => {
    current = next;
    for (const listener of [...listeners]) listener();
  };
  let saving: Promise<unknown> = load(store).then(use);
  siblings.listen((row) => {
    if (row === ROW) saving = saving.then(() => load(store)).then(use);
  });

  return {
    get current() {
      return current;
    },
    change(changes) {
      const changing = saving.then(async () => {
        const next = { ...(await read(store)), ...changes }; // Another tab may have changed others.
        check(next);
        await store.write([{ table: 'meta', key: ROW, value: encode(rowSchema, next) }]);
        use(next);
        siblings.tell(ROW);
      });
      saving = changing.catch(() => undefined); // Whoever asked is told; the next change has its own turn.
      return changing;
    },
    onChange: (listener) => void listeners.add(listener),
  };
}

async function read(store: Store): Promise<HelpSettings> {
  const bytes = await store.get('meta', ROW);
  const row = bytes && (decode(rowSchema, bytes) ?? decode(firstRowSchema, bytes));
  return { ...USUAL, ...row };
}

async function load(store: Store): Promise<HelpSettings> {
  try {
    const settings = await read(store);
    check(settings);
    return settings;
  } catch {
    // A disk that fails here fails everywhere, and says so there.
    return USUAL;
  }
}

/** Throws `invalid`: programs call this, too, and no compiler has looked at them. */
function check({ on, slots, checkShare }: HelpSettings): void {
  if (typeof on !== 'boolean') throw fail('invalid', 'Helping is on or off: true or false.');
  if (!Number.isInteger(slots) || slots < 1 || slots > LIMITS.helperSlots)
    throw fail('invalid', `A tab makes 1 to ${LIMITS.helperSlots} pieces at once, not ${slots}.`);
  if (!(checkShare >= 0 && checkShare <= 1)) throw fail('invalid', `The share that is checked is 0 to 1, not ${checkShare}.`);
}
