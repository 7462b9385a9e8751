/** Why a link was closed or not made: the budget of links of one of the two is used up. Said in `bye`, so that the other side does not come back at once. */
export const NO_ROOM = 'no room for this link';

/** True for the end of a link that had to make room, whichever side said so. */
export function isNoRoom(reason: string): boolean {
  return reason.endsWith(NO_ROOM);
}
