/** A session description, and the few fields of it that can't be guessed. Pure. */
import { toHex } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import type { Candidate, Endpoint } from '../base/ports.ts';
import { formatAddress, parseAddress } from './ip-address.ts';
import { fingerprint } from './webrtc-signal.ts';

/** Candidates of each kind that are told on: a computer with many networks has dozens, and the best few are those that work. */
const MOST: Readonly<Record<Candidate['kind'], number>> = { host: 3, srflx: 2, relay: 1 };
/** RFC 8445 §5.1.2.2: what a kind is worth. */
const PREFERENCE: Readonly<Record<Candidate['kind'], number>> = { host: 126, srflx: 100, relay: 0 };
/** Below any local preference of UDP, so that a direct way by UDP comes first. */
const UDP_PREFERENCE = 65_535;
const TCP_PREFERENCE = 32_767;
/** What both browsers call the one section of a description with a data channel alone; `mid` on both sides must be the same. */
const MID = '0';

/** What the other side must know of a local description, or null when the browser wrote one that `describe` does not understand. */
export function endpointOf(sdp: string): Endpoint | null {
  const value = (name: string): string | null => new RegExp(`^a=${name}:(.*?)\\s*$`, 'm').exec(sdp)?.[1] ?? null;
  const [user, password, print] = [value('ice-ufrag'), value('ice-pwd'), fingerprint(sdp)];
  if (user === null || password === null || print === null || value('mid') !== MID) return null;
  return { user, password, fingerprint: print, candidates: candidatesOf(sdp) };
}

/** A description that a browser takes for the other side's: a data channel, and nothing else. */
export function sdpOf(endpoint: Endpoint, type: 'offer' | 'answer'): string {
  const print = (toHex(endpoint.fingerprint).toUpperCase().match(/../g) ?? []).join(':');
  return `${[
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=-',
    't=0 0',
    `a=group:BUNDLE ${MID}`,
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    ...endpoint.candidates.map((_, index) => `a=${candidateOf(endpoint, index, 0)}`),
    `a=ice-ufrag:${endpoint.user}`,
    `a=ice-pwd:${endpoint.password}`,
    `a=fingerprint:sha-256 ${print}`,
    `a=setup:${type === 'offer' ? 'actpass' : 'active'}`,
    `a=mid:${MID}`,
    'a=sctp-port:5000',
    `a=max-message-size:${LIMITS.message}`,
  ].join('\r\n')}\r\n`;
}

/** The candidates as a browser takes them one by one. Chromium tries one again that failed when its foundation is new: `round` counts those tries. */
export function candidatesFor(endpoint: Endpoint, round: number): readonly RTCIceCandidateInit[] {
  return endpoint.candidates.map((_, index) => ({ candidate: candidateOf(endpoint, index, round), sdpMid: MID, sdpMLineIndex: 0 }));
}

/** One candidate as a browser takes it, the `index`th that is told. */
export function candidateFor(candidate: Candidate, index: number): RTCIceCandidateInit {
  return { candidate: lineOf(candidate, index, index + 1), sdpMid: MID, sdpMLineIndex: 0 };
}

/** What `a=candidate:` or RTCIceCandidate says; null for one that can't be connected to, or that this protocol has no form for. */
export function parseCandidate(text: string): Candidate | null {
  return candidatesOf(`a=${text}`)[0] ?? null;
}

function candidateOf({ candidates }: Endpoint, index: number, round: number): string {
  return lineOf(candidates[index] as Candidate, index, round * candidates.length + index + 1);
}

/** RFC 8839 §5.1. Order, kind and protocol give the priority. */
function lineOf(candidate: Candidate, index: number, foundation: number): string {
  const { kind, protocol, family, port } = candidate;
  const local = (protocol === 'udp' ? UDP_PREFERENCE : TCP_PREFERENCE) - index;
  const priority = PREFERENCE[kind] * 2 ** 24 + local * 2 ** 8 + 255;
  // Where it is mapped from is nobody's business: browsers write the same.
  const related = kind === 'host' ? '' : ` raddr ${family === 'ipv6' ? '::' : '0.0.0.0'} rport 0`;
  const tcp = protocol === 'tcp' ? ' tcptype passive' : '';
  return `candidate:${foundation} 1 ${protocol} ${priority} ${formatAddress(candidate)} ${port} typ ${kind}${related}${tcp}`;
}

/** The best few of each kind, by the browser's own priority. */
function candidatesOf(sdp: string): readonly Candidate[] {
  const found = [...sdp.matchAll(/^a=candidate:\S+ 1 (udp|tcp) (\d+) (\S+) (\d+) typ (host|srflx|relay)\b(.*?)\s*$/gim)].flatMap(
    ([, protocol = '', priority = '', host = '', port = '', kind = '', rest = '']) => {
      const at = parseAddress(host);
      // Who only connects can't be connected to, and a browser does not listen.
      const usable = protocol.toLowerCase() === 'udp' || / tcptype passive\b/.test(rest);
      return at && usable ? [{ priority: Number(priority), candidate: candidateFrom(at, { protocol, kind, port: Number(port) }) }] : [];
    },
  );
  found.sort((a, b) => b.priority - a.priority);
  const left = { ...MOST };
  const seen = new Set<string>();
  return found.flatMap(({ candidate }) => {
    const name = `${candidate.protocol} ${formatAddress(candidate)} ${candidate.port}`;
    if (seen.has(name) || left[candidate.kind] === 0) return [];
    seen.add(name);
    left[candidate.kind]--;
    return [candidate];
  });
}

function candidateFrom(at: Pick<Candidate, 'family' | 'address'>, rest: { protocol: string; kind: string; port: number }): Candidate {
  const kind = rest.kind === 'srflx' || rest.kind === 'relay' ? rest.kind : 'host';
  return { kind, protocol: rest.protocol.toLowerCase() === 'tcp' ? 'tcp' : 'udp', ...at, port: rest.port };
}
