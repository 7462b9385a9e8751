/** The kinds of home routers, each as the nftables rules that make one of a Linux box. RFC 4787 has the words. */

/**
 * `open`: no NAT, hosts have public addresses · `full-cone`: one mapping for all destinations, anybody may send to it ·
 * `port-restricted`: one mapping for all destinations, and only the address and port that was sent to may answer ·
 * `symmetric`: another mapping for each destination, and only that destination may answer.
 */
export type NatKind = 'open' | 'full-cone' | 'port-restricted' | 'symmetric';

/** From the easiest to get through to the hardest. */
export const NAT_KINDS: readonly NatKind[] = ['open', 'full-cone', 'port-restricted', 'symmetric'];

/** How long a full cone keeps a mapping that nobody uses (s): the least that RFC 4787 REQ-5 allows. */
const MAPPING_SECONDS = 120;

/**
 * What arrives for the router itself is dropped before connection tracking keeps it: else a packet that comes too early would take the
 * pair of addresses that the answer to it needs, and the answer would leave from another port.
 */
const DROP_STRAY = 'chain input { type filter hook input priority 0; iifname "wan" meta l4proto udp drop; }';

/** Rules for a router with the devices `wan` and `lan`; none for a router that only forwards. */
export function natRules(kind: NatKind): string {
  switch (kind) {
    case 'open':
      return '';
    case 'port-restricted':
      return table('chain out { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }', DROP_STRAY);
    case 'symmetric':
      return table('chain out { type nat hook postrouting priority srcnat; oifname "wan" masquerade fully-random; }', DROP_STRAY);
    case 'full-cone':
      // Connection tracking alone lets in only who was sent to. So each port that a host sends from is noted, and whatever comes for it goes there.
      return table(
        `map mapped { type inet_service : ipv4_addr; flags dynamic,timeout; timeout ${MAPPING_SECONDS}s; size 65535; }`,
        `chain note { type filter hook forward priority 0; oifname "wan" udp sport > 0 update @mapped { udp sport timeout ${MAPPING_SECONDS}s : ip saddr }; }`,
        'chain in { type nat hook prerouting priority dstnat; iifname "wan" meta l4proto udp dnat to udp dport map @mapped; }',
        'chain out { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }',
        DROP_STRAY,
      );
  }
}

function table(...chains: readonly string[]): string {
  return `table ip kadreel {\n${chains.join('\n')}\n}\n`;
}
