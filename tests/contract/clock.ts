/** What every Clock and every Random of a real machine must do (ports.ts). */
import { describe, expect, test, vi } from 'vitest';
import type { Clock, Random } from '../../src/base/ports.ts';

export function clockContract(name: string, clock: Clock): void {
  describe(`Clock: ${name}`, () => {
    test('now is in milliseconds since 1970, and never goes back', () => {
      expect(Math.abs(clock.now() - Date.now())).toBeLessThan(2000);
      let last = clock.now();
      for (let i = 0; i < 10_000; i++) {
        const now = clock.now();
        expect(now).toBeGreaterThanOrEqual(last);
        last = now;
      }
    });

    test('when the wall clock is set back it goes on; when that jumps ahead, as after sleep, it follows', () => {
      const before = clock.now();
      const wall = vi.spyOn(Date, 'now');
      try {
        wall.mockReturnValue(before - 3_600_000);
        expect(clock.now()).toBeGreaterThanOrEqual(before);
        wall.mockReturnValue(before + 60_000);
        expect(clock.now()).toBeGreaterThanOrEqual(before + 59_000);
      } finally {
        wall.mockRestore();
      }
      expect(clock.now()).toBeGreaterThanOrEqual(before);
    });

    test('after calls once, not early, in the order of the times', async () => {
      const start = performance.now();
      const calls: [string, number][] = [];
      const note = (label: string) => () => void calls.push([label, performance.now() - start]);
      clock.after(60, note('60'));
      clock.after(0, note('0'));
      clock.after(30, note('30'));
      await vi.waitFor(() => expect(calls.map(([label]) => label)).toEqual(['0', '30', '60']));
      for (const [label, at] of calls) expect(at).toBeGreaterThanOrEqual(Number(label) - 2);
    });

    test('a cancelled timer does not fire; cancelling again does nothing', async () => {
      let fired = false;
      const cancel = clock.after(10, () => {
        fired = true;
      });
      cancel();
      cancel();
      await new Promise<void>((resolve) => void clock.after(40, resolve));
      expect(fired).toBe(false);
    });

    test('a delay longer than a timer can hold does not fire at once', async () => {
      let fired = false;
      const cancel = clock.after(40 * 24 * 3_600_000, () => {
        fired = true;
      });
      await new Promise<void>((resolve) => void clock.after(30, resolve));
      cancel();
      expect(fired).toBe(false);
    });
  });
}

export function randomContract(name: string, random: Random): void {
  describe(`Random: ${name}`, () => {
    test('bytes: the length asked for, and never the same twice', () => {
      expect(random.bytes(0)).toHaveLength(0);
      expect(random.bytes(16)).not.toEqual(random.bytes(16));
      const many = random.bytes(200_000);
      expect(many).toHaveLength(200_000);
      // All 256 values in each third: a generator that fills only the first 64 KiB is found.
      for (let third = 0; third < 3; third++) expect(new Set(many.subarray(third * 66_666, (third + 1) * 66_666)).size).toBe(256);
    });

    test('float: spread over [0, 1)', () => {
      const tenths = new Array<number>(10).fill(0);
      for (let i = 0; i < 10_000; i++) {
        const value = random.float();
        expect(value >= 0 && value < 1).toBe(true);
        tenths[Math.floor(value * 10)] = (tenths[Math.floor(value * 10)] as number) + 1;
      }
      for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(200); // 6.7 standard deviations
    });
  });
}
