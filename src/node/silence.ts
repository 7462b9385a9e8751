/** Why a link ended: nothing came over it for too long. Its node has gone without a word, or a network between us is down. */
const SILENCE = 'nothing heard for';

/** The reason of the end of a link that was silent for so many ms. */
export function silenceOf(ms: number): string {
  return `${SILENCE} ${Math.round(ms / 1000)} s`;
}

/** True for the end of a link that fell silent. */
export function isSilence(reason: string): boolean {
  return reason.startsWith(SILENCE);
}
