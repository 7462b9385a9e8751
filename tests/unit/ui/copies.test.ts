import { expect, it } from 'vitest';
import { copiesLine } from '../../../src/ui/copies.ts';

it('never calls it safe to close without a copy', () => {
  expect(copiesLine(null, { tabs: 0, making: false })).toMatchObject({ safe: false, text: 'Nobody else is here yet to keep a copy.' });
  expect(copiesLine(null, { tabs: 3, making: false })).toMatchObject({ safe: false, text: 'Copies are on their way to other tabs.' });
  expect(copiesLine(null, { tabs: 3, making: true })).toMatchObject({
    safe: false,
    text: expect.stringContaining('Smaller pictures are being made'),
  });
  expect(copiesLine({ stored: 0, wanted: 5 }, { tabs: 0, making: false }).safe).toBe(false);
});

it('takes it back when nobody who may hold a copy is here', () => {
  const line = copiesLine({ stored: 2, wanted: 5 }, { tabs: 0, making: false });
  expect(line).toMatchObject({ safe: false, title: 'Keep this tab open' });
  expect(line.text).toContain('2 other disks');
});

it('says when copies could not be stored', () => {
  expect(copiesLine({ stored: 0, wanted: 5 }, { tabs: 3, making: false })).toMatchObject({
    safe: false,
    text: expect.stringContaining('No other tab could keep'),
  });
});

it('says by how many of how many it is kept', () => {
  expect(copiesLine({ stored: 3, wanted: 5 }, { tabs: 3, making: false })).toMatchObject({ safe: true, title: 'Safe to close' });
  expect(copiesLine({ stored: 3, wanted: 5 }, { tabs: 3, making: false }).text).toContain('Kept by 3 of 5 other tabs');
});
