/** The judge's verdict on each kind of NAT that the lab makes, against what RFC 4787 says of such a kind. */

import { NAT_KINDS, type NatKind } from './nat.ts';
import { judgeNat, type NatVerdict } from './nat-judge.ts';
import type { LabRow } from './row.ts';
import { inWorld } from './world.ts';

const EXPECTED: Readonly<Record<NatKind, NatVerdict>> = {
  open: { translates: false, mapping: 'endpoint-independent', filtering: 'endpoint-independent', unasked: true },
  'full-cone': { translates: true, mapping: 'endpoint-independent', filtering: 'endpoint-independent', unasked: false },
  'port-restricted': { translates: true, mapping: 'endpoint-independent', filtering: 'address-and-port-dependent', unasked: false },
  symmetric: { translates: true, mapping: 'address-and-port-dependent', filtering: 'address-and-port-dependent', unasked: false },
};

/** A row for each kind. */
export function runNats(): Promise<LabRow[]> {
  return inWorld(async ({ network }) => {
    const rows: LabRow[] = [];
    for (const kind of NAT_KINDS) {
      const home = await network.addHome({ nat: kind });
      const verdict = await judgeNat({ network, home, roundTrip: 0 });
      const must = inWords(EXPECTED[kind]);
      const got = inWords(verdict);
      rows.push({ part: 'nats', what: kind, got, must, ok: got === must });
    }
    return rows;
  });
}

function inWords({ translates, mapping, filtering, unasked }: NatVerdict): string {
  if (!translates) return `no translation; filtering ${filtering}; strangers ${unasked ? 'are' : 'are not'} heard unasked`;
  return `mapping ${mapping}; filtering ${filtering}; strangers ${unasked ? 'are' : 'are not'} heard unasked`;
}
