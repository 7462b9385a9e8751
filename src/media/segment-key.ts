/** Where a segment's bytes lie in table `segments` of the store: written by the node, read by the service worker too. */
import type { Key } from '../kademlia/key.ts';

/** For example `3f…c1/07`: the group's key and the segment's place in it, so that a group's segments are neighbours in order. */
export function segmentKey(group: Key, index: number): string {
  return `${group}/${String(index).padStart(2, '0')}`;
}
