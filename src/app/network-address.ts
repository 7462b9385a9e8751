/** Addresses of the network as a person types them. Each is brought into the form that is used, or refused with what to type instead. Pure. */
import { fail } from '../base/errors.ts';
import { isOpenUrl, MAX_URL_BYTES } from '../node/open-list.ts';
import type { IceServer } from './api.ts';

/** What stands before `://`, the host with its port, the path, and what must not follow. */
const ADDRESS = /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/?#@\s]+)([^?#\s]*)([?#].*)?$/i;
const SOCKETS: Readonly<Record<string, 'ws' | 'wss'>> = { ws: 'ws', wss: 'wss', http: 'ws', https: 'wss' };
const DEFAULT_PORTS = { ws: /:0*80$/, wss: /:0*443$/ } as const;
/** Where an open node takes WebSockets. */
const SOCKET_PATH = '/ws';
/** Hosts that can have no certificate by usual means: without a scheme they are taken as `http:`. */
const BARE_HOST = /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[\da-f:.]+\])(?::\d+)?$/i;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

/**
 * `example.org`, `https://example.org`, `wss://example.org/ws` → `wss://example.org/ws`; `http://192.0.2.1:8080` → `ws://192.0.2.1:8080/ws`.
 * `secure`: the page came by https:, and browsers then let it open `wss:` only, but for this machine. Throws `invalid`.
 */
export function readOpenNode(typed: string, { secure }: { secure: boolean }): string {
  const text = typed.trim();
  const [, scheme, host = '', path = '', rest] = ADDRESS.exec(text) ?? [];
  const protocol = scheme ? SOCKETS[scheme.toLowerCase()] : BARE_HOST.test(host) ? 'ws' : 'wss';
  if (!host || rest !== undefined) throw refused(text, 'an open node', OPEN_NODE_EXAMPLES);
  if (!protocol)
    throw fail('invalid', `“${shorten(text)}” begins with ${scheme}://, and an open node’s address begins with https:// or http://.`);
  const plain = host.toLowerCase().replace(DEFAULT_PORTS[protocol], '');
  const folder = path.replace(/\/+$/, '');
  const url = `${protocol}://${plain}${folder.endsWith(SOCKET_PATH) ? folder : folder + SOCKET_PATH}`;
  if (!isOpenUrl(url) || url.length > MAX_URL_BYTES || !isHost(plain)) throw refused(text, 'an open node', OPEN_NODE_EXAMPLES);
  if (secure && protocol === 'ws' && !LOOPBACK.test(plain))
    throw fail('invalid', `This page came by https://, so the browser only lets it reach open nodes by https://, not ${shorten(text)}.`);
  return url;
}

const OPEN_NODE_EXAMPLES = 'Type it like example.org, https://example.org or http://192.0.2.1:8080.';
const ICE_EXAMPLES = 'Type it like stun:example.org:3478, turn:example.org:3478?transport=tcp or turns:example.org:5349.';

const ICE_URL = /^(stun|turns?):([^:?/@\s[\]]+|\[[\da-f:.]+\])(:\d{1,5})?(?:\?transport=(udp|tcp))?$/i;
/** Characters of a user name and of a password, at most: what browsers take. */
const MAX_SECRET = 256;

/** A STUN or TURN server in the form that RTCPeerConnection takes; a name and a password only where they are used. Throws `invalid`. */
export function readIceServer(typed: IceServer): IceServer {
  const text = typed.urls.trim();
  const [, scheme = '', host = '', port = '', transport] = ICE_URL.exec(text) ?? [];
  const kind = scheme.toLowerCase();
  if (!kind || !isHost(host + port) || text.length > MAX_URL_BYTES) throw refused(text, 'a STUN or TURN server', ICE_EXAMPLES);
  if (kind === 'stun') {
    if (transport !== undefined) throw fail('invalid', `A STUN server is asked over UDP: leave “?transport=${transport}” out.`);
    return { urls: `stun:${host.toLowerCase()}${port}` };
  }
  const { username = '', credential = '' } = typed;
  if (username === '' || credential === '')
    throw fail('invalid', `A TURN server relays for those that it knows: ${shorten(text)} needs a user name and a password.`);
  if (username.length > MAX_SECRET || credential.length > MAX_SECRET)
    throw fail('invalid', `A TURN server’s user name and password have at most ${MAX_SECRET} characters each.`);
  return { urls: `${kind}:${host.toLowerCase()}${port}${transport ? `?transport=${transport.toLowerCase()}` : ''}`, username, credential };
}

/** A name of letters, digits, dots and hyphens, IPv4, or IPv6 in brackets; with a port from 1 to 65535 or none. */
function isHost(text: string): boolean {
  const [, host = '', port] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return false;
  if (host.startsWith('[')) return isIpv6(host.slice(1, -1));
  if (/^[\d.]+$/.test(host)) return /^\d+(\.\d+){3}$/.test(host) && host.split('.').every((part) => Number(part) <= 255);
  return host.length <= 253 && host.split('.').every((label) => /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(label));
}

function isIpv6(text: string): boolean {
  const [head = '', tail, ...more] = text.split('::');
  const groups = [head, tail ?? ''].flatMap((half) => (half === '' ? [] : half.split(':')));
  if (more.length > 0 || !groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return false;
  return tail === undefined ? groups.length === 8 : groups.length < 8;
}

function refused(text: string, what: string, examples: string): Error {
  return fail(
    'invalid',
    text === '' ? `The address of ${what} is missing. ${examples}` : `“${shorten(text)}” is not the address of ${what}. ${examples}`,
  );
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
