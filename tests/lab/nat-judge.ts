/** Says what a home's NAT does to UDP, in the words of RFC 4787, by the tests of RFC 5780: so that we know that the lab is right. */
import { type Home, type Network, PROBES } from './network.ts';
import { startUdpHost, type UdpHost, type UdpSocket } from './udp.ts';

/** How much a NAT looks at the other side. */
export type Dependence = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent';

/** What one NAT does. */
export interface NatVerdict {
  /** Whether hosts are seen from outside under their own address. */
  readonly translates: boolean;
  /** For which destinations one inside port shows under one and the same outside port (RFC 4787 §4.1). */
  readonly mapping: Dependence;
  /** Who may send to a mapping that is there (RFC 4787 §5). */
  readonly filtering: Dependence;
  /** Whether a stranger reaches a port from which nothing was sent yet. */
  readonly unasked: boolean;
}

const PORTS = { first: 3478, second: 3479 } as const;
/** A packet that has not come after this long, ms, beyond the path's own round trip, was filtered. */
const PATIENCE = 300;

/** Sends some packets from a home's first machine to two addresses with two ports each, and back. `roundTrip` is of the path, in ms. */
export async function judgeNat({ network, home, roundTrip }: { network: Network; home: Home; roundTrip: number }): Promise<NatVerdict> {
  const outside = startUdpHost(network.public);
  const inside = startUdpHost(home.hosts[0] as string);
  try {
    return await judge({ outside, inside, home, patience: PATIENCE + roundTrip });
  } finally {
    await Promise.all([outside.close(), inside.close()]);
  }
}

async function judge(at: { outside: UdpHost; inside: UdpHost; home: Home; patience: number }): Promise<NatVerdict> {
  const { outside, inside, home, patience } = at;
  const ends = {
    main: { address: PROBES[0], port: PORTS.first },
    otherPort: { address: PROBES[0], port: PORTS.second },
    otherAddress: { address: PROBES[1], port: PORTS.first },
  };
  const main = await outside.open(ends.main);
  const otherPort = await outside.open(ends.otherPort);
  const otherAddress = await outside.open(ends.otherAddress);

  const mapper = await inside.open({ address: '0.0.0.0', port: 0 });
  const seenAs = async (server: UdpSocket, end: (typeof ends)[keyof typeof ends]): Promise<string> => {
    mapper.send('map', end);
    const seen = await server.next(({ text }) => text === 'map', patience);
    if (!seen) throw new Error(`${home.name} (${home.nat}) does not reach ${end.address}:${end.port}: the lab's routes are wrong.`);
    return `${seen.address}:${seen.port}`;
  };
  const mapped = [await seenAs(main, ends.main), await seenAs(otherPort, ends.otherPort), await seenAs(otherAddress, ends.otherAddress)];

  const filtered = await inside.open({ address: '0.0.0.0', port: 0 });
  filtered.send('filter', ends.main);
  const door = await main.next(({ text }) => text === 'filter', patience);
  if (!door) throw new Error(`${home.name} (${home.nat}) can't send.`);
  otherAddress.send('from another address', door);
  otherPort.send('from another port', door);
  const fromAddress = await filtered.next(({ text }) => text === 'from another address', patience);
  const fromPort = await filtered.next(({ text }) => text === 'from another port', patience);

  const silent = await inside.open({ address: '0.0.0.0', port: 0 });
  main.send('unasked', { address: home.address, port: silent.port });
  const unasked = await silent.next(({ text }) => text === 'unasked', patience);

  return {
    translates: mapped[0] !== `${home.hostAddresses[0]}:${mapper.port}`,
    mapping:
      mapped[0] !== mapped[1] ? 'address-and-port-dependent' : mapped[0] !== mapped[2] ? 'address-dependent' : 'endpoint-independent',
    filtering: fromAddress ? 'endpoint-independent' : fromPort ? 'address-dependent' : 'address-and-port-dependent',
    unasked: unasked !== null,
  };
}
