/** A small internet of network namespaces: a public part with room for servers, and homes behind routers of each kind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command, type Service } from './command.ts';
import { type Link, startLink } from './link.ts';
import { type NatKind, natRules } from './nat.ts';

/** RFC 5737: addresses for examples, which no real network has. One for each server, each a machine of its own. */
export const SERVERS = {
  openNode: '203.0.113.1',
  secondOpenNode: '203.0.113.2',
  /** STUN and TURN. */
  relay: '203.0.113.3',
  /** Serves the site and is no node. */
  files: '203.0.113.4',
} as const;
/** The two addresses from which the public namespace itself speaks: to judge NATs and links. */
export const PROBES = ['203.0.113.5', '203.0.113.6'] as const;
const PUBLIC_END = '203.0.113.254';

/** The network of one household. */
export interface Home {
  readonly name: string;
  readonly nat: NatKind;
  /** Its router's address on the public side. */
  readonly address: string;
  /** Namespaces to run programs in: one for each machine in the home. */
  readonly hosts: readonly string[];
  /** Each machine's address within the home. */
  readonly hostAddresses: readonly string[];
  /** The device in the public namespace that leads to it. */
  readonly device: string;
}

/** What a new home should be like. */
export interface HomeOptions {
  readonly nat: NatKind;
  /** The link to the public network; without it, one with no delay and no limit. */
  readonly link?: Link;
  /** Machines in it, 1 when not given. */
  readonly hosts?: number;
}

/** The internet of one run. */
export interface Network {
  /** For what programs of this network write; goes with it. */
  readonly folder: string;
  /** The namespace that joins all homes and servers. */
  readonly public: string;
  /** The namespace of the server at an address, which is made when it is first asked for. */
  server(address: string): Promise<string>;
  addHome(options: HomeOptions): Promise<Home>;
  /** From now on nothing passes between a home and any open node: for it they are all dead. */
  cutFromOpenNodes(home: Home): Promise<void>;
  /** Ends the links and removes every namespace. Idempotent. */
  close(): Promise<void>;
}

const GUARD = fileURLToPath(new URL('guard.sh', import.meta.url));

let networks = 0;

/** Makes the public part. Close it. */
export async function createNetwork(): Promise<Network> {
  const prefix = `kadlab-${process.pid}-${++networks}`;
  const outside = `${prefix}-public`;
  const folder = mkdtempSync(join(tmpdir(), 'kadreel-lab-'));
  const guard = startGuard(prefix, folder);
  const links: Service[] = [];
  const servers = new Map<string, Promise<string>>();
  let homes = 0;
  let closing: Promise<void> | null = null;

  const close = async (): Promise<void> => {
    await Promise.all(links.map((link) => link.stop()));
    await guard.release();
  };
  const add = async (namespace: string): Promise<void> => {
    await command('ip', ['netns', 'add', namespace]);
    await ip(namespace, ['link', 'set', 'lo', 'up']);
    // The lab is of IPv4: a route over IPv6 would go around its NATs.
    await set(namespace, { 'ipv6/conf/all/disable_ipv6': 1, 'ipv6/conf/default/disable_ipv6': 1 }).catch(() => undefined);
  };
  const addRouter = async (namespace: string): Promise<void> => {
    await add(namespace);
    await set(namespace, { 'ipv4/ip_forward': 1, 'ipv4/conf/all/rp_filter': 0, 'ipv4/conf/default/rp_filter': 0 });
  };

  const addHome = async ({ nat, link, hosts = 1 }: HomeOptions): Promise<Home> => {
    const number = ++homes;
    const name = `${prefix}-home${number}`;
    const router = `${name}-router`;
    const address = `203.0.113.${10 + number}`;
    const inside = nat === 'open' ? `198.51.100.${8 * number}/29` : `192.168.${number}.0/24`;
    const [base = '', bits = ''] = inside.split('/');
    const lan = (host: number): string => base.replace(/\d+$/, (last) => String(Number(last) + host));

    await addRouter(router);
    const [home, far] = [
      { namespace: router, device: 'wan' },
      { namespace: outside, device: `home${number}` },
    ];
    if (link) links.push(await startLink({ home, outside: far, link }));
    else await ip(router, ['link', 'add', 'wan', 'type', 'veth', 'peer', 'name', far.device, 'netns', outside]);
    await ip(
      router,
      ['addr', 'add', address, 'peer', PUBLIC_END, 'dev', 'wan'],
      ['link', 'set', 'wan', 'up'],
      ['route', 'add', 'default', 'via', PUBLIC_END],
    );
    await ip(outside, ['addr', 'add', PUBLIC_END, 'peer', address, 'dev', far.device], ['link', 'set', far.device, 'up']);
    if (nat === 'open') await ip(outside, ['route', 'add', inside, 'via', address]);

    await ip(
      router,
      ['link', 'add', 'lan', 'type', 'bridge'],
      ['link', 'set', 'lan', 'up'],
      ['addr', 'add', `${lan(1)}/${bits}`, 'dev', 'lan'],
    );
    // Where the bridge module is loaded, packets between two hosts of a home would go through its NAT too.
    await set(router, { 'bridge/bridge-nf-call-iptables': 0 }).catch(() => undefined);
    const rules = natRules(nat);
    if (rules !== '') await command('ip', ['netns', 'exec', router, 'nft', '-f', '-'], { input: rules });

    const names: string[] = [];
    for (let host = 1; host <= hosts; host++) {
      const namespace = `${name}-host${host}`;
      await add(namespace);
      await ip(
        router,
        ['link', 'add', `host${host}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace],
        ['link', 'set', `host${host}`, 'master', 'lan'],
        ['link', 'set', `host${host}`, 'up'],
      );
      await ip(
        namespace,
        ['addr', 'add', `${lan(1 + host)}/${bits}`, 'dev', 'eth0'],
        ['link', 'set', 'eth0', 'up'],
        ['route', 'add', 'default', 'via', lan(1)],
      );
      names.push(namespace);
    }
    return {
      name: `home ${number}`,
      nat,
      address: nat === 'open' ? lan(2) : address,
      hosts: names,
      hostAddresses: names.map((_, i) => lan(2 + i)),
      device: far.device,
    };
  };

  const addServer = async (address: string): Promise<string> => {
    const namespace = `${prefix}-server${address.split('.').at(-1)}`;
    const device = `server${address.split('.').at(-1)}`;
    await add(namespace);
    await ip(
      namespace,
      ['link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', device, 'netns', outside],
      ['addr', 'add', address, 'peer', PUBLIC_END, 'dev', 'eth0'],
      ['link', 'set', 'eth0', 'up'],
      ['route', 'add', 'default', 'via', PUBLIC_END],
    );
    await ip(outside, ['addr', 'add', PUBLIC_END, 'peer', address, 'dev', device], ['link', 'set', device, 'up']);
    return namespace;
  };

  try {
    await addRouter(outside);
    for (const address of PROBES) await ip(outside, ['addr', 'add', `${address}/32`, 'dev', 'lo']);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    folder,
    public: outside,
    server(address) {
      const server = servers.get(address) ?? addServer(address);
      servers.set(address, server);
      return server;
    },
    addHome,
    async cutFromOpenNodes({ address, name }) {
      const nodes = `{ ${SERVERS.openNode}, ${SERVERS.secondOpenNode} }`;
      const drops = `ip saddr ${address} ip daddr ${nodes} drop; ip daddr ${address} ip saddr ${nodes} drop`;
      const rules = `table ip cut-${name.replace(' ', '-')} { chain through { type filter hook forward priority -10; ${drops}; }\n}\n`;
      await command('ip', ['netns', 'exec', outside, 'nft', '-f', '-'], { input: rules });
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Runs `ip` in a namespace, one call after another. */
async function ip(namespace: string, ...calls: readonly (readonly string[])[]): Promise<void> {
  await command('ip', ['-n', namespace, '-batch', '-'], { input: `${calls.map((call) => call.join(' ')).join('\n')}\n` });
}

/** Writes settings of the kernel, by their path below /proc/sys/net, for one namespace. */
async function set(namespace: string, settings: Readonly<Record<string, number>>): Promise<void> {
  const script = Object.entries(settings).map(([path, value]) => `echo ${value} > /proc/sys/net/${path}`);
  await command('ip', ['netns', 'exec', namespace, 'sh', '-ec', script.join('\n')]);
}

/** Starts what removes all namespaces with this prefix, and a folder, when it is released, or when this process has ended in any way: killed, for example. */
function startGuard(prefix: string, folder: string): { release(): Promise<void> } {
  // In a session of its own, so that Ctrl+C does not reach it, and without this process's environment, by which some find what to end.
  const guard = spawn('sh', [GUARD, prefix, folder], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
    env: { PATH: process.env.PATH ?? '' },
  });
  const gone = once(guard, 'exit');
  return {
    async release() {
      guard.stdin.end();
      await gone;
    },
  };
}
