/** Why a link ended, or was not made: as its reason says, which is a text for people, and as the routing table wants to know it. */
import type { LinkEnd } from '../kademlia/known.ts';

/** The budget of links of one of the two is used up. Said in `bye`, so that the other side does not come back at once. */
export const NO_ROOM = 'no room for this link';

const GOODBYE = 'the other node left: ';
const SILENCE = 'nothing heard for ';

/** The reason of the end of a link whose other side said goodbye with these words. */
export function goodbyeOf(words: string): string {
  return `${GOODBYE}${words}`;
}

/** The reason of the end of a link that was silent for so many ms. */
export function silenceOf(ms: number): string {
  return `${SILENCE}${Math.round(ms / 1000)} s`;
}

/** True for the end of a link that had to make room, whichever side said so. */
export function isNoRoom(reason: string): boolean {
  return reason.endsWith(NO_ROOM);
}

/** What a reason says to the routing table. */
export function endOf(reason: string): LinkEnd {
  if (isNoRoom(reason)) return 'no-room';
  if (reason.startsWith(GOODBYE)) return 'left';
  return reason.startsWith(SILENCE) ? 'silent' : 'lost';
}
