/** An invitation, carried by hand from one page to another: no server takes part in it. */
import type { Page } from 'playwright-core';

/** Has one page invite the other; resolves when both are linked. */
export async function invite(inviter: Page, newcomer: Page): Promise<void> {
  const invitation = await inviter.evaluateHandle(() => window.kadreel?.invite());
  const url = (await invitation.evaluate((one) => one?.url)) as string;
  const joining = await newcomer.evaluateHandle((link) => window.kadreel?.join(link), url);
  const code = (await joining.evaluate((one) => one?.code)) as string;
  await Promise.all([invitation.evaluate((one, text) => one?.accept(text), code), joining.evaluate((one) => one?.linked)]);
}
