import { describe, expect, it, vi } from 'vitest';
import type { Invitation } from '../../../src/app/api.ts';
import type { Event } from '../../../src/app/events.ts';
import { createInvitationEffects } from '../../../src/app/invitation-effects.ts';
import { fail } from '../../../src/base/errors.ts';
import { deferred } from '../../../src/base/timing.ts';
import { INVITATION_LIFE } from '../../../src/node/invitations.ts';
import { createFakeKadreel } from './fake-kadreel.ts';
import { createTestClock } from './test-clock.ts';

function setUp() {
  const fake = createFakeKadreel();
  const clock = createTestClock();
  const events: Event[] = [];
  const effects = createInvitationEffects({
    kadreel: Promise.resolve(fake.kadreel),
    clock,
    tell: (event) => events.push(event),
  });
  return { fake, clock, events, effects, types: () => events.map(({ type }) => type) };
}

function invitation(accept: Invitation['accept'] = () => Promise.resolve()): Invitation & { close: ReturnType<typeof vi.fn<() => void>> } {
  return { url: 'https://x.example/join#abc', accept, close: vi.fn<() => void>() };
}

/** The first call of a list, once it has been made. */
async function made<T>(calls: readonly T[], index = 0): Promise<T> {
  await vi.waitFor(() => expect(calls.length).toBeGreaterThan(index));
  return calls[index] as T;
}

async function opened(own = invitation()) {
  const all = setUp();
  const done = all.effects.open();
  (await made(all.fake.invitations)).resolve(own);
  await done;
  return { ...all, own };
}

describe('effects: inviting', () => {
  it('[I6] tells the link and its end, and ends it when its time is up', async () => {
    const { clock, events, own } = await opened();
    const [first] = events;
    expect(first).toMatchObject({ type: 'invitation-made', url: own.url });
    clock.advance(INVITATION_LIFE);
    expect(own.close).toHaveBeenCalled();
    expect(events[1]).toMatchObject({ type: 'invitation-failed', problem: { code: 'timeout' } });
    expect(clock.pending()).toBe(0);
  });

  it('[I3] tells a wrong code apart from the end of the invitation', async () => {
    const answers = [fail('corrupt', 'Not whole.'), fail('unreachable', 'No path.')];
    const { effects, events, own, clock } = await opened(invitation(() => Promise.reject(answers.shift())));
    await effects.accept('x');
    expect(events[1]).toMatchObject({ type: 'reply-refused', problem: { why: 'Not whole.', advice: 'The invitation is still open.' } });
    expect(own.close).not.toHaveBeenCalled();
    await effects.accept('y');
    expect(events[2]).toMatchObject({ type: 'invitation-failed', problem: { code: 'unreachable' } });
    expect(clock.pending()).toBe(0);
  });

  it('tells that it linked, and nothing more', async () => {
    const { effects, types, clock } = await opened();
    await effects.accept('x');
    expect(types()).toEqual(['invitation-made', 'invitation-linked']);
    clock.advance(2 * INVITATION_LIFE);
    expect(types()).toHaveLength(2);
  });

  it('drops one that comes after it was closed, and closes it', async () => {
    const { effects, fake, events } = setUp();
    const done = effects.open();
    const call = await made(fake.invitations);
    effects.close();
    const late = invitation();
    call.resolve(late);
    await done;
    expect(late.close).toHaveBeenCalled();
    expect(events).toEqual([]);
  });

  it('tells why it could not be made', async () => {
    const { effects, fake, events } = setUp();
    const done = effects.open();
    (await made(fake.invitations)).reject(fail('unreachable', 'No network.'));
    await done;
    expect(events).toMatchObject([{ type: 'invitation-failed', problem: { why: 'No network.' } }]);
  });
});

describe('effects: joining', () => {
  it('tells who invites and the code, then that it is linked', async () => {
    const { effects, fake, events } = setUp();
    const linked = deferred<void>();
    const done = effects.follow('abc');
    (await made(fake.joins)).resolve({ code: 'reply', linked: linked.promise });
    await vi.waitFor(() => expect(events).toHaveLength(1));
    linked.resolve();
    await done;
    expect(events).toEqual([{ type: 'invitation-answered', inviter: 'c3'.repeat(20), code: 'reply' }, { type: 'join-linked' }]);
  });

  it('[I2] tells that a link is damaged, and silences an earlier one', async () => {
    const { effects, fake, events } = setUp();
    const linked = deferred<void>();
    const first = effects.follow('abc');
    (await made(fake.joins)).resolve({ code: 'reply', linked: linked.promise });
    await vi.waitFor(() => expect(events).toHaveLength(1));
    await effects.follow('damaged');
    linked.reject(fail('closed', 'Another invitation was followed.'));
    await first;
    expect(events).toHaveLength(2);
    expect(events[1]).toMatchObject({ type: 'join-failed', problem: { code: 'corrupt' } });
  });
});
