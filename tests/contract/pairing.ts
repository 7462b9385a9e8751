/** What every Pairer must do (ports.ts). */
import { describe, expect, test } from 'vitest';
import { equal } from '../../src/base/bytes.ts';
import type { Channel, Endpoint, Pairer } from '../../src/base/ports.ts';
import { hear, pattern } from './channel.ts';

/** `create` gives the pairers of two devices; `carry` is what people do with a description. */
export function pairerContract(
  name: string,
  { create, carry }: { create: () => readonly [Pairer, Pairer]; carry: (endpoint: Endpoint, kind: 'invitation' | 'reply') => Endpoint },
): void {
  const pair = async (): Promise<readonly [Channel, Channel]> => {
    const [one, two] = create();
    const first = one.offer();
    const second = two.answer(carry(await first.own, 'invitation'));
    first.accept(carry(await second.own, 'reply'));
    return Promise.all([first.opened, second.opened]);
  };

  describe(`Pairer: ${name}`, () => {
    test('[I4] one description each way opens a channel; both ends have the same binding', async () => {
      const [a, b] = await pair();
      expect(equal(a.binding, b.binding)).toBe(true);
      const atB = hear(b);
      const atA = hear(a);
      a.send(pattern(70_000, 1));
      b.send(pattern(3, 2));
      await expect.poll(() => [atA.messages.length, atB.messages.length]).toEqual([1, 1]);
      expect(equal(atB.messages[0] ?? pattern(1, 0), pattern(70_000, 1))).toBe(true);
      a.close();
      await expect.poll(() => [atA.closes.length, atB.closes.length]).toEqual([1, 1]);
      b.close();
    });

    test('closing before it opens rejects with `closed`; what comes later is ignored', async () => {
      const [one, two] = create();
      const first = one.offer();
      const offer = await first.own;
      const second = two.answer(offer);
      const answer = await second.own;
      for (const pairing of [first, second]) {
        pairing.close();
        pairing.close();
        await expect(pairing.opened).rejects.toMatchObject({ code: 'closed' });
      }
      first.accept(answer);
    });

    test('closing at once rejects the description as well', async () => {
      const pairing = create()[0].offer();
      pairing.close();
      await expect(pairing.own).rejects.toMatchObject({ code: 'closed' });
    });
  });
}
