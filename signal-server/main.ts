/** The open node as a process: settings from the environment, words for whoever started it, a clean end. */
import { fileURLToPath } from 'node:url';
import { hasCode } from '../src/base/errors.ts';
import { createOpenNode, type OpenNode } from './open-node.ts';
import { SOCKET_LIMITS } from './websocket.ts';

const DEFAULT_PORT = 8080;
/** From the first signal to the end of the process (ms), whatever still hangs. */
const END_TIMEOUT = 2_500;

await main();

async function main(): Promise<void> {
  const environment = process.env;
  const port = Number(environment.PORT || DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    return giveUp(`PORT is “${environment.PORT}”, but must be a number from 0 to 65535. For example: PORT=8081 npm start`);

  const stunPort = Number(environment.STUN_PORT || Number.NaN);
  if (environment.STUN_PORT && !(Number.isInteger(stunPort) && stunPort > 0 && stunPort <= 65_535))
    return giveUp(`STUN_PORT is “${environment.STUN_PORT}”, but must be a number from 1 to 65535. For example: STUN_PORT=3478 npm start`);

  const node = createOpenNode({
    port,
    ...(environment.HOST && { host: environment.HOST }),
    siteDir: environment.SITE_DIR || fileURLToPath(new URL('../site', import.meta.url)), // of dist/server/main.js
    publicUrl: environment.PUBLIC_URL || null,
    bootstrap: (environment.BOOTSTRAP ?? '').split(',').flatMap((address) => address.trim() || []),
    dataDir: environment.DATA_DIR || null,
    stunPort: environment.STUN_PORT ? stunPort : null,
    limits: {
      sockets: Number(environment.MAX_SOCKETS) || SOCKET_LIMITS.sockets,
      perAddress: Number(environment.MAX_SOCKETS_PER_ADDRESS) || SOCKET_LIMITS.perAddress,
      trustProxy: environment.TRUST_PROXY === '1',
    },
  });
  endOnSignal(node);
  try {
    const { url, wsUrl } = await node.ready;
    console.log(welcome({ url, wsUrl, id: node.node.contact.id, isPublic: Boolean(environment.PUBLIC_URL) }));
  } catch (error) {
    giveUp(
      hasCode(error, 'unreachable') || hasCode(error, 'invalid') ? error.message : String(error instanceof Error ? error.stack : error),
    );
  }
}

function welcome({ url, wsUrl, id, isPublic }: { url: string; wsUrl: string; id: string; isPublic: boolean }): string {
  const reach = isPublic
    ? `Others dial this node at ${wsUrl}`
    : 'For this machine only, until it has a public https:// address (README, “In public”).';
  return `
Kadreel is running.

  Open   ${url}
  Next   press Publish and drop a video on the page. Then open its watch link in a second
         browser or a private window: the video comes from your tab.
  Stop   Ctrl+C

Open node ${id}. ${reach}
`;
}

function endOnSignal(node: OpenNode): void {
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    const timer = setTimeout(() => process.exit(0), END_TIMEOUT);
    node.close().finally(() => {
      clearTimeout(timer);
      process.exit(0);
    });
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

function giveUp(message: string): void {
  console.error(`\n${message}\n`);
  process.exit(1);
}
