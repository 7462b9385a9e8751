/** Does what `update` asked for about invitations, and tells what came of it. */
import { asKadreelError, fail } from '../base/errors.ts';
import type { Cancel, Clock } from '../base/ports.ts';
import { INVITATION_LIFE } from '../node/invitations.ts';
import type { Invitation, Kadreel } from './api.ts';
import type { Event } from './events.ts';
import { isWrongCode, problemOf } from './problems.ts';

export interface InvitationEffects {
  open(): Promise<void>;
  accept(code: string): Promise<void>;
  close(): void;
  follow(link: string): Promise<void>;
}

export interface InvitationEffectsOptions {
  readonly kadreel: Promise<Kadreel>;
  readonly clock: Clock;
  /** Does nothing once the page is gone. */
  readonly tell: (event: Event) => void;
}

export function createInvitationEffects({ kadreel, clock, tell }: InvitationEffectsOptions): InvitationEffects {
  /** Counts what was begun, so that a late answer of an earlier one is not told. */
  let opened = 0;
  let followed = 0;
  let current: Invitation | null = null;
  let cancel: Cancel = () => undefined;

  const end = (): void => {
    opened++;
    cancel();
    current?.close();
    current = null;
  };
  const over = (error: unknown): void => {
    end();
    tell({ type: 'invitation-failed', problem: problemOf(error, 'inviting') });
  };

  return {
    async open() {
      end();
      const own = opened;
      try {
        const invitation = await (await kadreel).invite();
        if (own !== opened) {
          invitation.close();
          return;
        }
        current = invitation;
        cancel = clock.after(INVITATION_LIFE, () => over(fail('timeout', EXPIRED)));
        tell({ type: 'invitation-made', url: invitation.url, expires: clock.now() + INVITATION_LIFE });
      } catch (error) {
        if (own === opened) over(error);
      }
    },
    async accept(code) {
      const own = opened;
      try {
        await current?.accept(code);
        if (own !== opened || !current) return;
        end();
        tell({ type: 'invitation-linked' });
      } catch (error) {
        if (own !== opened) return;
        if (isWrongCode(asKadreelError(error).code)) tell({ type: 'reply-refused', problem: problemOf(error, 'inviting') });
        else over(error);
      }
    },
    close: end,
    async follow(link) {
      followed++;
      const own = followed;
      const tellOwn = (event: Event): void => {
        if (own === followed) tell(event);
      };
      try {
        const page = await kadreel;
        const inviter = page.inviterOf(link);
        const { code, linked } = await page.join(link);
        tellOwn({ type: 'invitation-answered', inviter, code });
        await linked;
        tellOwn({ type: 'join-linked' });
      } catch (error) {
        tellOwn({ type: 'join-failed', problem: problemOf(error, 'joining') });
      }
    },
  };
}

const EXPIRED = 'Nobody replied within 10 minutes, and this tab can’t hold a connection open for longer.';
