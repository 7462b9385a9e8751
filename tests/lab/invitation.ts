/** An invitation, carried by hand from one page to another: no server takes part in it. */
import type { Page } from 'playwright-core';

/** The part of `window.kadreel` for it. */
interface InvitingPage {
  readonly invite?: () => Promise<{ url: string; accept(code: string): Promise<void>; close(): void }>;
  readonly join?: (url: string) => Promise<{ code: string; linked: Promise<void> }>;
}

/** Whether this build has invitations. */
export function hasInvitations(page: Page): Promise<boolean> {
  return page.evaluate(() => typeof (window.kadreel as unknown as InvitingPage).invite === 'function');
}

/** Has one page invite the other; resolves when both are linked. */
export async function invite(inviter: Page, newcomer: Page): Promise<void> {
  const invitation = await inviter.evaluateHandle(() => (window.kadreel as unknown as Required<InvitingPage>).invite());
  const url = await invitation.evaluate((one) => one.url);
  const joining = await newcomer.evaluateHandle((link) => (window.kadreel as unknown as Required<InvitingPage>).join(link), url);
  const code = await joining.evaluate((one) => one.code);
  await Promise.all([invitation.evaluate((one, text) => one.accept(text), code), joining.evaluate((one) => one.linked)]);
}
