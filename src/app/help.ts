/** The switch “Help with transcoding”: while it is on, and nothing speaks against it, this tab does jobs for others. */
import type { Cancel, HelpConditions, Transcoder } from '../base/ports.ts';
import type { DhtNode } from '../node/dht-node.ts';
import type { HelpWork } from '../node/helping.ts';
import type { HelpRest, HelpView } from './api.ts';
import type { HelpSettingsKeeper } from './help-settings.ts';

export interface Help {
  view(): HelpView;
  /** This tab does something of its own that needs the processor; call what is returned when it has ended. */
  busyWith(what: 'publishing' | 'playing'): Cancel;
  close(): void;
}

export interface HelpOptions {
  readonly settings: HelpSettingsKeeper;
  readonly transcoder: Pick<Transcoder, 'convert'>;
  readonly helping: DhtNode['helping'];
  readonly conditions: HelpConditions;
}

/** Follows the settings from the start. */
export function createHelp({ settings, transcoder, helping, conditions }: HelpOptions): Help {
  const busy = { publishing: 0, playing: 0 };
  /** Jobs at once that are offered. */
  let offered = 0;
  let closed = false;

  const rest = (): HelpRest | null => {
    const { onBattery, metered } = conditions.current();
    if (onBattery) return 'battery';
    if (metered) return 'metered';
    if (busy.publishing > 0) return 'publishing';
    return busy.playing > 0 ? 'playing' : null;
  };
  const follow = (): void => {
    const { on, slots } = settings.current;
    const should = on && !closed && rest() === null ? slots : 0;
    if (should === offered) return;
    offered = should;
    if (offered > 0) helping.offer({ slots, run });
    else helping.withdraw('This tab does no jobs now.');
  };
  /** Most tabs never do a job: what only that needs is loaded with the first. */
  const run: HelpWork['run'] = async (job, source, signal) => (await import('./chunk-work.ts')).doJob(transcoder, job, { source, signal });
  const stopHearing = conditions.onChange(follow);
  settings.onChange(follow);

  return {
    view: () => ({ ...settings.current, rest: settings.current.on ? rest() : null, ...helping.done }),
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
