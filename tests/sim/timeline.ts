/** What happened in each virtual minute, in lines that a person can read. */
import { spread } from './figures.ts';
import { EPOCH } from './scheduler.ts';
import type { Traffic, Volumes } from './traffic.ts';
import type { World } from './world.ts';

export interface Timeline {
  /** Counts something that happened in this minute. */
  note(what: string): void;
  stop(): void;
}

const MINUTE = 60_000;
/** Kinds of messages that are named in a line. */
const NAMED = 4;

export function createTimeline(options: { world: World; traffic: Traffic; tell: (line: string) => void; every?: number }): Timeline {
  const { world, traffic, tell, every = MINUTE } = options;
  const happened = new Map<string, number>();
  let before = traffic.total();
  let stopped = false;

  const line = (): void => {
    if (stopped) return;
    const links = world.tabs().map(({ node }) => node.links().length);
    const events = [...happened].map(([what, times]) => `${times} ${what}`).join(', ');
    tell(
      `${clockText(world.scheduler.time())}  ${links.length} tabs, links ${spread(links)}  ${volumeText(traffic.since(before))}${events && `  ${events}`}`,
    );
    before = traffic.total();
    happened.clear();
    world.scheduler.clock.after(every, line);
  };
  world.scheduler.clock.after(every, line);
  return {
    note: (what) => void happened.set(what, (happened.get(what) ?? 0) + 1),
    stop() {
      stopped = true;
    },
  };
}

/** Virtual time since the beginning: `1:02:03`. */
export function clockText(time: number): string {
  const seconds = Math.floor((time - EPOCH) / 1000);
  const two = (value: number): string => String(value % 60).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60))}:${two(seconds)}`;
}

/** How many messages, and of which kinds most. */
export function volumeText(volumes: Volumes): string {
  const kinds = [...volumes].sort(([, a], [, b]) => b.messages - a.messages);
  const all = kinds.reduce((sum, [, { messages }]) => sum + messages, 0);
  const named = kinds.slice(0, NAMED).map(([kind, { messages }]) => `${kind} ${messages}`);
  return `${all} messages${named.length > 0 ? ` (${named.join(', ')})` : ''}`;
}
