/** The path between a home and the public network: its delay, loss, rate and queue, in each direction. */
import { fileURLToPath } from 'node:url';
import { type Service, startService } from './command.ts';

const PROGRAM = fileURLToPath(new URL('link.pl', import.meta.url));

/** One direction. */
export interface Path {
  /** Milliseconds one way. */
  readonly delay: number;
  /** Percent of packets. */
  readonly loss: number;
  /** Mbit/s; 0 is no limit. */
  readonly rate: number;
  /** Kilobytes that may wait for their turn; more is dropped. */
  readonly queue: number;
}

/** Both directions, as the home sees them. */
export interface Link {
  readonly up: Path;
  readonly down: Path;
}

/** A link that is the same in both directions; what is not given is: no delay, no loss, no limit, 250 kB. */
export function evenLink(path: Partial<Path>): Link {
  const whole = { delay: 0, loss: 0, rate: 0, queue: 250, ...path };
  return { up: whole, down: whole };
}

/** One end of a link: a device that it makes in a namespace. */
export interface LinkEnd {
  readonly namespace: string;
  readonly device: string;
}

/** Makes both devices, without addresses yet, and carries packets between them until it is stopped. */
export async function startLink({ home, outside, link }: { home: LinkEnd; outside: LinkEnd; link: Link }): Promise<Service> {
  const end = ({ namespace, device }: LinkEnd, path: Path): string[] => [
    namespace,
    device,
    [path.delay, path.loss, path.rate, path.queue].join(','),
  ];
  const service = startService('perl', [PROGRAM, ...end(home, link.up), ...end(outside, link.down)]);
  await service.says(/^ready$/);
  return service;
}
