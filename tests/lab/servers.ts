/** What stands on the public side: open nodes, a STUN and TURN server, and a server of plain files. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, ROOT, SERVER } from '../../signal-server/prepare.mjs';
import type { IceServer } from '../../src/app/api.ts';
import { type Service, startService } from './command.ts';
import { type Network, SERVERS } from './network.ts';

const FILES = fileURLToPath(new URL('files.mjs', import.meta.url));

/** Where every server of pages and every open node listens (TCP). */
export const SITE_PORT = 8080;
/** Where STUN and TURN are spoken (UDP): the port of RFC 8489. */
export const STUN_PORT = 3478;
const ACCOUNT = { username: 'lab', credential: 'lab-password' } as const;

/** STUN as the open node answers it: a network needs no other server. */
export const STUN: IceServer = { urls: `stun:${SERVERS.openNode}:${STUN_PORT}` };
/** STUN of a server by which nobody joins, and which so lives on when the open nodes die. */
export const LASTING_STUN: IceServer = { urls: `stun:${SERVERS.relay}:${STUN_PORT}` };
/** TURN of a coturn. */
export const TURN: IceServer = { urls: `turn:${SERVERS.relay}:${STUN_PORT}`, ...ACCOUNT };

/** The site of the server at an address. */
export function siteAt(address: string): string {
  return `http://${address}:${SITE_PORT}`;
}

/** Where an open node is dialled. */
export function openNodeAt(address: string): string {
  return `ws://${address}:${SITE_PORT}/ws`;
}

/** Starts an open node with the site, as `npm start` runs it; `bootstrap` are addresses of other open nodes. It answers STUN on `STUN_PORT` too. */
export async function startOpenNode(options: { network: Network; address: string; bootstrap?: readonly string[] }): Promise<Service> {
  const { network, address, bootstrap = [] } = options;
  const service = startService('ip', ['netns', 'exec', await network.server(address), process.execPath, SERVER], {
    env: {
      HOST: address,
      PORT: String(SITE_PORT),
      SITE_DIR: join(ROOT, 'dist/site'),
      PUBLIC_URL: siteAt(address),
      BOOTSTRAP: bootstrap.join(','),
      STUN_PORT: String(STUN_PORT),
      DATA_DIR: '',
    },
  });
  await service.says(/^Open node/);
  return service;
}

/** Starts coturn, which speaks STUN and TURN. */
export async function startRelay(network: Network): Promise<Service> {
  const { folder } = network;
  const service = startService('ip', [
    ...['netns', 'exec', await network.server(SERVERS.relay), 'turnserver', '-n', '--no-cli', '--no-tls', '--no-dtls', '--lt-cred-mech'],
    ...['--realm', 'kadreel.lab', '--user', `${ACCOUNT.username}:${ACCOUNT.credential}`, '--verbose'],
    ...['--listening-ip', SERVERS.relay, '--relay-ip', SERVERS.relay, '--listening-port', String(STUN_PORT)],
    ...['--userdb', join(folder, 'turndb'), '--pidfile', join(folder, 'pid'), '--log-file', 'stdout', '--simple-log'],
  ]);
  await service.says(/listener opened on.*UDP|IPv4\. UDP listener opened/i);
  return service;
}

/** Starts a server that has the site's files and is no node: a page from there has nobody to ask. */
export async function startFiles(network: Network): Promise<Service> {
  const args = [
    'netns',
    'exec',
    await network.server(SERVERS.files),
    process.execPath,
    FILES,
    join(ROOT, 'dist/site'),
    SERVERS.files,
    String(SITE_PORT),
  ];
  const service = startService('ip', args);
  await service.says(/^ready$/);
  return service;
}

/** Builds the site and the open node from the source as it is now. vitest says NODE_ENV=test to its children; Vite would build for development. */
export function buildSite(): void {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  try {
    build();
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
}
