/** Bytes through the public network, counted there by the kernel: what each home says to each server, and what homes say to each other. */
import { command } from './command.ts';
import { type Network, SERVERS } from './network.ts';

/** Which of it: to and from one server's port, of one home or of all. */
export interface TrafficFilter {
  readonly address?: string;
  readonly protocol?: 'tcp' | 'udp';
  readonly port?: number;
  readonly home?: string;
}

/** IP bytes, headers included, both directions together. */
export interface Traffic {
  server(where: TrafficFilter): number;
  /** The same as packets. */
  packets(where: TrafficFilter): number;
  /** From home to home, through no server. */
  readonly direct: number;
}

const ALL_SERVERS = Object.values(SERVERS).join(', ');
const RULES = `table ip kadlab {
  set served { type ipv4_addr . ipv4_addr . inet_proto . inet_service; flags dynamic; size 65535; counter; }
  counter direct { }
  chain through {
    type filter hook forward priority 0;
    ip daddr { ${ALL_SERVERS} } meta l4proto { tcp, udp } update @served { ip saddr . ip daddr . meta l4proto . th dport } accept
    ip saddr { ${ALL_SERVERS} } meta l4proto { tcp, udp } update @served { ip daddr . ip saddr . meta l4proto . th sport } accept
    counter name direct
  }
}
`;
const PROTOCOLS: Readonly<Record<string, string>> = { '6': 'tcp', '17': 'udp' };

interface Listed {
  readonly nftables: readonly {
    readonly counter?: { readonly bytes: number };
    readonly set?: {
      readonly elem?: readonly {
        readonly elem: {
          readonly val: { readonly concat: readonly (string | number)[] };
          readonly counter: { readonly bytes: number; readonly packets: number };
        };
      }[];
    };
  }[];
}

/** Begins to count. */
export async function countTraffic(network: Network): Promise<void> {
  await command('ip', ['netns', 'exec', network.public, 'nft', '-f', '-'], { input: RULES });
}

/** What was counted since `countTraffic`. */
export async function readTraffic(network: Network): Promise<Traffic> {
  const text = await command('ip', ['netns', 'exec', network.public, 'nft', '-j', 'list', 'table', 'ip', 'kadlab']);
  const listed = (JSON.parse(text) as Listed).nftables;
  const rows = listed
    .flatMap(({ set }) => set?.elem ?? [])
    .map(({ elem }) => {
      const [home, address, protocol, port] = elem.val.concat;
      return {
        home,
        address,
        protocol: PROTOCOLS[String(protocol)] ?? protocol,
        port: Number(port),
        bytes: elem.counter.bytes,
        packets: elem.counter.packets,
      };
    });
  const find = (where: TrafficFilter): typeof rows => {
    const wanted = Object.entries(where) as [keyof TrafficFilter, string | number][];
    return rows.filter((row) => wanted.every(([name, value]) => row[name] === value));
  };
  return {
    direct: listed.find(({ counter }) => counter)?.counter?.bytes ?? 0,
    server: (where) => find(where).reduce((sum, { bytes }) => sum + bytes, 0),
    packets: (where) => find(where).reduce((sum, { packets }) => sum + packets, 0),
  };
}
