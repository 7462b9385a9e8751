/** What the messages of a world are for: calls by their method, answers counted with what they answer. */
import { decode } from '../../src/base/schema.ts';
import { decodeFrame } from '../../src/wire/codec.ts';
import { CALLS, type Frame, methodOf } from '../../src/wire/messages.ts';
import type { End } from './pipe.ts';
import type { World } from './world.ts';

/** Messages and bytes, sent by all nodes together. */
export interface Volume {
  readonly messages: number;
  readonly bytes: number;
  /** Those that begin something: calls without their answers. */
  readonly calls: number;
}

/** Volumes by kind: `ROUTE`, `RELAY SIGNAL`, `hello`, `alive` and so on. */
export type Volumes = ReadonlyMap<string, Volume>;

export interface Traffic {
  /** All so far. */
  total(): Volumes;
  /** What came since `before`. */
  since(before: Volumes): Volumes;
}

const NOTHING: Volume = { messages: 0, bytes: 0, calls: 0 };

/** Begins to count. It costs as much as a node's own reading, so not where speed is measured. */
export function createTraffic(world: World): Traffic {
  const volumes = new Map<string, { messages: number; bytes: number; calls: number }>();
  /** The calls of each end that have no answer yet. */
  const asked = new WeakMap<End, Map<number, string>>();

  const callsOf = (end: End): Map<number, string> => {
    const calls = asked.get(end) ?? new Map<number, string>();
    asked.set(end, calls);
    return calls;
  };

  const kindOf = (end: End, frame: Frame): string => {
    switch (frame.type) {
      case 'request': {
        const name = requestName(frame);
        callsOf(end).set(frame.id, name);
        return name;
      }
      case 'response':
      case 'failure': {
        const calls = end.peer && asked.get(end.peer);
        const name = calls?.get(frame.id) ?? frame.type;
        if (name !== 'FETCH') calls?.delete(frame.id);
        return name;
      }
      case 'data':
        return 'FETCH';
      case 'credit':
        return 'FETCH';
      case 'cancel':
        return callsOf(end).get(frame.id) ?? 'cancel';
      default:
        return frame.type;
    }
  };

  world.network.watch((end, message) => {
    const frame = decodeFrame(message);
    const kind = frame ? kindOf(end, frame) : 'malformed';
    const volume = volumes.get(kind) ?? { messages: 0, bytes: 0, calls: 0 };
    volume.messages++;
    if (frame?.type === 'request') volume.calls++;
    volume.bytes += message.length;
    volumes.set(kind, volume);
  });

  const total = (): Volumes => new Map([...volumes].map(([kind, volume]) => [kind, { ...volume }]));
  return {
    total,
    since(before) {
      const now = [...total()].map(([kind, volume]): [string, Volume] => {
        const then = before.get(kind) ?? NOTHING;
        return [kind, { messages: volume.messages - then.messages, bytes: volume.bytes - then.bytes, calls: volume.calls - then.calls }];
      });
      return new Map(now.filter(([, { messages }]) => messages > 0));
    },
  };
}

/** The volumes of these kinds together; of all without `kinds`. */
export function sumVolumes(volumes: Volumes, kinds?: readonly string[]): Volume {
  let [messages, bytes, calls] = [0, 0, 0];
  for (const [kind, volume] of volumes) {
    if (kinds && !kinds.includes(kind)) continue;
    messages += volume.messages;
    bytes += volume.bytes;
    calls += volume.calls;
  }
  return { messages, bytes, calls };
}

function requestName({ method, body }: Extract<Frame, { type: 'request' }>): string {
  const name = methodOf(method) ?? `method ${method}`;
  if (name !== 'RELAY') return name;
  const carried = decode(CALLS.RELAY.request, body);
  return `RELAY ${(carried && methodOf(carried.method)) ?? '?'}`;
}
