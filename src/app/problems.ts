/** What a person is told when something went wrong: what happened, why, and what to do. Pure. */
import { asKadreelError, assertNever, type ErrorCode } from '../base/errors.ts';
import type { Problem } from './state.ts';

/** What was being done when it went wrong. */
export type Doing =
  | 'starting'
  | 'listing'
  | 'probing'
  | 'preparing'
  | 'publishing'
  | 'discarding'
  | 'editing'
  | 'removing'
  | 'opening'
  | 'playing'
  | 'lowering'
  | 'changing'
  | 'inviting'
  | 'joining';

/** Describes any thrown value. What is not a `KadreelError` is told as `internal`. */
export function problemOf(error: unknown, doing: Doing): Problem {
  const { code, message } = asKadreelError(error);
  return { code, what: WHAT[doing], why: reason(code, message), advice: advice(code, doing) };
}

const WHAT: Readonly<Record<Doing, string>> = {
  starting: 'This tab could not join the network.',
  listing: 'The list of videos could not be loaded.',
  probing: 'This file can’t be published as it is.',
  preparing: 'That was not added.',
  publishing: 'The video was not published.',
  discarding: 'It could not be discarded.',
  editing: 'Your changes were not saved.',
  removing: 'The video was not removed.',
  opening: 'This video can’t be opened.',
  playing: 'Playing stopped.',
  lowering: 'That quality could not be made.',
  changing: 'Nothing was changed.',
  inviting: 'That did not link you.',
  joining: 'You are not linked.',
};

/** The failing part's own words, or ours where it said nothing. */
function reason(code: ErrorCode, message: string): string {
  return message.trim() === '' ? plainReason(code) : message.trim();
}

function plainReason(code: ErrorCode): string {
  switch (code) {
    case 'aborted':
      return 'It was cancelled.';
    case 'timeout':
      return 'Nobody answered in time.';
    case 'closed':
      return 'The connection closed in the middle.';
    case 'refused':
      return 'The other node refused.';
    case 'unreachable':
      return 'No other node can be reached.';
    case 'no-path':
      return 'No direct connection opens between the two networks.';
    case 'not-found':
      return 'None of the tabs that are open now has it.';
    case 'withdrawn':
      return 'Whoever published this video took it off.';
    case 'corrupt':
      return 'What arrived was damaged, so it was thrown away.';
    case 'invalid':
      return 'What arrived does not have the right form.';
    case 'too-large':
      return 'It is larger than the limit.';
    case 'quota':
      return 'The disk space that this browser grants is full.';
    case 'unsupported':
      return 'It is not a video that can be read or played here.';
    case 'missing-feature':
      return 'This browser lacks something that is needed.';
    case 'internal':
      return 'Kadreel made a mistake of its own.';
    default:
      return assertNever(code);
  }
}

function advice(code: ErrorCode, doing: Doing): string {
  if (doing === 'inviting')
    return isWrongCode(code) ? 'The invitation is still open.' : 'An invitation links two people once: a new one is a press away.';
  if (doing === 'joining') return 'Ask for the link once more, or for a new one, and open it here.';
  if (doing === 'preparing') return 'The video can be published without it.';
  if (doing === 'lowering') return 'The video goes on as it was published. Ask again later, or pause until more of it has come.';
  const nothingLost = doing === 'publishing' || doing === 'probing' ? ' Your file and title are still here.' : '';
  switch (code) {
    case 'aborted':
      return `Start again when you like.${nothingLost}`;
    case 'timeout':
    case 'closed':
    case 'refused':
      return doing === 'playing'
        ? 'It goes on by itself when another tab comes, or try again now.'
        : `Try again in a moment.${nothingLost}`;
    case 'unreachable':
      return `Check that you are online, then try again.${nothingLost}`;
    case 'no-path':
      return `Another network may let it through; so does a TURN server (Network page).${nothingLost}`;
    case 'not-found':
      return doing === 'listing'
        ? 'Try again in a moment.'
        : 'Ask whoever sent you the link to open Kadreel: their tab may keep it. This one looks again when somebody comes.';
    case 'withdrawn':
      return 'It can’t be brought back by asking again. Other videos are on the first page.';
    case 'corrupt':
    case 'invalid':
      if (doing === 'editing') return 'Correct it and press Save again.';
      if (doing === 'changing') return 'Correct it and press Add again.';
      return doing === 'probing' || doing === 'publishing'
        ? 'Check that the file plays on your computer, or choose another one.'
        : 'Try again: another tab may have a good copy.';
    case 'too-large':
      return doing === 'probing' || doing === 'publishing' ? `Choose a shorter or smaller file.${nothingLost}` : 'Try again in a moment.';
    case 'quota':
      return `Free some space on this disk, or in this browser’s site data, then try again.${nothingLost}`;
    case 'unsupported':
      return doing === 'probing' || doing === 'publishing'
        ? 'If it plays on your computer, export it as an MP4, or choose another file.'
        : 'Try again, or open the link in another browser.';
    case 'missing-feature':
      return 'Use a current Chrome, Edge, Firefox or Safari, not in a private window.';
    case 'internal':
      return `Reload the page and try again.${doing === 'publishing' ? ' Choose the same file afterwards.' : ''}`;
    default:
      return assertNever(code);
  }
}

/** What was given is no code, or not this one: nothing was spent on it. */
export function isWrongCode(code: ErrorCode): boolean {
  return code === 'corrupt' || code === 'invalid' || code === 'unsupported';
}
