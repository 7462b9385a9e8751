/** Virtual time: order, cancelling, and that promises go on between two events. */
import { expect, test } from 'vitest';
import { seededRandom } from './random.ts';
import { createScheduler, EPOCH } from './scheduler.ts';

test('events come in the order of their times, and those of one instant in the order of planning', async () => {
  const { clock, advance } = createScheduler();
  const random = seededRandom(3);
  const planned: { at: number; number: number }[] = [];
  const ran: { at: number; number: number }[] = [];
  for (let number = 0; number < 3_000; number++) {
    // Near, far, and many at the same whole millisecond.
    const at = Math.floor(random.float() * (number % 3 === 0 ? 20 : 20_000));
    planned.push({ at, number });
    clock.after(at, () => ran.push({ at: clock.now() - EPOCH, number }));
  }
  await advance(30_000);
  expect(ran).toEqual(planned.sort((a, b) => a.at - b.at || a.number - b.number));
});

test('what an event plans for the same time runs after it, and before later events', async () => {
  const { clock, advance } = createScheduler();
  const ran: string[] = [];
  clock.after(10, () => {
    ran.push('first');
    clock.after(0, () => ran.push('planned by the first'));
  });
  clock.after(10, () => ran.push('second'));
  clock.after(11, () => ran.push('third'));
  await advance(20);
  expect(ran).toEqual(['first', 'second', 'planned by the first', 'third']);
});

test('every promise that can go on has gone on before the next event', async () => {
  const { clock, advance } = createScheduler();
  const ran: string[] = [];
  for (let i = 0; i < 600; i++) {
    clock.after(5, async () => {
      for (let turn = 0; turn < 20; turn++) await null;
      ran.push(`${i} went on`);
    });
    clock.after(5, () => ran.push(`after ${i}`));
  }
  await advance(5);
  expect(ran).toEqual(Array.from({ length: 600 }, (_, i) => [`${i} went on`, `after ${i}`]).flat());
});

test('a cancelled event does not run, is not pending, and can be cancelled again, also after it ran', async () => {
  const scheduler = createScheduler();
  const { clock, advance } = scheduler;
  let ran = 0;
  const cancels = Array.from({ length: 50_000 }, (_, i) => clock.after(i % 2 === 0 ? 1_000_000 : 5, () => ran++));
  for (const [i, cancel] of cancels.entries()) if (i % 100 !== 0) cancel();
  for (const cancel of cancels.slice(1, 1_000)) cancel();
  cancels[0]?.();
  const kept = 500 - 10; // every hundredth is at an even place, so far off; the first ten of them were cancelled too
  expect(scheduler.pending).toBe(kept);
  expect(await advance(2_000_000)).toBe(kept);
  expect(ran).toBe(kept);
  for (const cancel of cancels) cancel();
  expect(scheduler.pending).toBe(0);
});

test('stops where it is told to, at its end, and with what an event throws or a check says', async () => {
  const { clock, advance, time, fail } = createScheduler();
  let ran = 0;
  for (let i = 1; i <= 10; i++) clock.after(i, () => ran++);
  await advance(100, () => ran === 4);
  expect([ran, time() - EPOCH]).toEqual([4, 4]);
  await advance(3);
  expect([ran, time() - EPOCH]).toEqual([7, 7]);
  clock.after(0.5, () => {
    throw new Error('thrown by an event');
  });
  await expect(advance(1)).rejects.toThrow('thrown by an event');
  clock.after(0.1, () => fail(new Error('said by a check')));
  await expect(advance(100)).rejects.toThrow('said by a check');
  await advance(100);
  expect(ran).toBe(10);
});
