/** What the browser says of a connection's own addresses, as `judgeNat` wants it. */
import type { Nat } from '../base/nat.ts';
import { judgeNat, type OwnCandidate } from './nat-judge.ts';

/** The verdict of a connection that has opened, or failed to; null when it shows nothing. Never rejects. */
export async function watchNat(pc: RTCPeerConnection): Promise<Nat | null> {
  const report = await pc.getStats().catch(() => null);
  if (!report) return null;
  const own: OwnCandidate[] = [];
  const servers = new Set<string>();
  let remote: string | null = null;
  report.forEach((stat: Readonly<Record<string, unknown>>) => {
    if (stat.type === 'local-candidate' && stat.protocol === 'udp') {
      const type = typeOf(stat.candidateType);
      if (type) own.push({ type, address: addressOf(stat.address), port: Number(stat.port) });
      if (type === 'srflx' && typeof stat.url === 'string') servers.add(stat.url);
    }
    if (stat.type === 'candidate-pair' && stat.nominated === true && stat.state === 'succeeded') {
      const other: unknown = report.get(String(stat.remoteCandidateId));
      if (typeof other === 'object' && other !== null && 'address' in other) remote = addressOf(other.address);
    }
  });
  return judgeNat({ own, remote, servers: servers.size });
}

function typeOf(value: unknown): OwnCandidate['type'] | null {
  return value === 'host' || value === 'srflx' || value === 'prflx' ? value : null;
}

/** A name that stands for a hidden address is none. */
function addressOf(value: unknown): string | null {
  return typeof value === 'string' && /^[\d.:a-fA-F]+$/.test(value) ? value : null;
}
