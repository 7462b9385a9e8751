/** The switch “Help with transcoding”: kept on this disk; while it is on, and nothing speaks against it, this tab does jobs for others. */
import type { Cancel, HelpConditions, Store, Transcoder } from '../base/ports.ts';
import { boolean, decode, encode, struct } from '../base/schema.ts';
import type { DhtNode } from '../node/dht-node.ts';
import type { HelpWork } from '../node/helping.ts';
import type { HelpRest, HelpView } from './api.ts';

export interface Help {
  view(): HelpView;
  /** Keeps what the person chose, and follows it at once. Rejects with `quota`, and then nothing changed. */
  set(on: boolean): Promise<void>;
  /** This tab does something of its own that needs the processor; call what is returned when it has ended. */
  busyWith(what: 'publishing' | 'playing'): Cancel;
  close(): void;
}

export interface HelpOptions {
  readonly store: Store;
  readonly transcoder: Pick<Transcoder, 'convert'>;
  readonly helping: DhtNode['helping'];
  readonly conditions: HelpConditions;
  /** Jobs at once: one thread each. */
  readonly slots?: number;
}

const ROW = 'help-transcoding';
const rowSchema = struct<{ on: boolean }>({ on: boolean });
/** One leaves the person the rest of the computer. */
const SLOTS = 1;

/** Off until the person switches it on. */
export function createHelp({ store, transcoder, helping, conditions, slots = SLOTS }: HelpOptions): Help {
  const busy = { publishing: 0, playing: 0 };
  let on = false;
  let works = false;
  let closed = false;

  const rest = (): HelpRest | null => {
    const { onBattery, metered } = conditions.current();
    if (onBattery) return 'battery';
    if (metered) return 'metered';
    if (busy.publishing > 0) return 'publishing';
    return busy.playing > 0 ? 'playing' : null;
  };
  const follow = (): void => {
    const should = on && !closed && rest() === null;
    if (should === works) return;
    works = should;
    if (works) helping.offer({ slots, run });
    else helping.withdraw('This tab does no jobs now.');
  };
  /** Most tabs never do a job: what only that needs is loaded with the first. */
  const run: HelpWork['run'] = async (job, source, signal) => (await import('./chunk-work.ts')).doJob(transcoder, job, { source, signal });
  const stopHearing = conditions.onChange(follow);
  let chosen = false;
  store.get('meta', ROW).then(
    (kept) => {
      if (chosen) return; // The person was quicker.
      on = ((kept && decode(rowSchema, kept)) ?? { on: false }).on;
      follow();
    },
    () => undefined, // As if nothing had been chosen.
  );

  return {
    view: () => ({ on, rest: on ? rest() : null, ...helping.done }),
    async set(next) {
      await store.write([{ table: 'meta', key: ROW, value: encode(rowSchema, { on: next }) }]);
      chosen = true;
      on = next;
      follow();
    },
    busyWith(what) {
      let over = false;
      busy[what]++;
      follow();
      return () => {
        if (over) return;
        over = true;
        busy[what]--;
        follow();
      };
    },
    close() {
      closed = true;
      stopHearing();
      follow();
    },
  };
}
