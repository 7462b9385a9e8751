/** The address of an invitation. Its code is behind the `#`, which no browser sends to a server. Pure. */
import { pathOf } from './router.ts';

/** `codeOfLink` of it gives the code back. */
export function formatInvitationLink(origin: string, code: string): string {
  return `${origin}${pathOf({ page: 'join' })}#${code}`;
}

/** The code in a link; a text without a `#` is taken for the code itself. */
export function codeOfLink(link: string): string {
  return link.slice(link.indexOf('#') + 1).trim();
}
