/** Tokens that a STORE must bring (docs/protocol.md, rules K). */
import { expect, test } from 'vitest';
import { createTokens } from '../../../src/node/tokens.ts';
import { createBench } from './support/bench.ts';

const MINUTE = 60_000;

function setup() {
  const bench = createBench();
  return { bench, tokens: createTokens(bench), a: bench.someone().contact.id, b: bench.someone().contact.id };
}

test('[K4] a token is for the node that it was issued to', () => {
  const { tokens, a, b } = setup();
  const token = tokens.issue(a);
  expect(token.length).toBe(8);
  expect(tokens.check(a, token)).toBe(true);
  expect(tokens.check(b, token)).toBe(false);
  expect(tokens.check(a, new Uint8Array(8))).toBe(false);
  expect(tokens.check(a, token.subarray(0, 7))).toBe(false);
});

test('[K5] it is good for 5 minutes at least and 10 at most, whenever the node was last asked', async () => {
  for (const asked of [0, 1, 4.9, 5, 7, 9.99]) {
    for (const age of [4.9, 5.2, 9.9, 10, 14, 31]) {
      const { bench, tokens, a } = setup();
      await bench.advance(asked * MINUTE);
      const token = tokens.issue(a);
      await bench.advance(age * MINUTE);
      const good = tokens.check(a, token);
      if (age < 5) expect(good).toBe(true);
      if (age >= 10) expect(good).toBe(false);
    }
  }
});

test.each([
  ['every minute', 1],
  ['every 4.9 minutes', 4.9],
  ['every 9.9 minutes', 9.9],
])('[K5] asking %s does not make it live longer', async (_, minutes) => {
  const { bench, tokens, a } = setup();
  const token = tokens.issue(a);
  const start = bench.clock.now();
  for (let i = 0; i < 20; i++) {
    await bench.advance(minutes * MINUTE);
    const age = bench.clock.now() - start;
    const good = tokens.check(a, token);
    if (age < 5 * MINUTE) expect(good).toBe(true);
    if (age >= 10 * MINUTE) expect(good).toBe(false);
  }
});

test('[K4] another node’s tokens are worth nothing here', () => {
  const { bench, tokens, a } = setup();
  expect(tokens.check(a, createTokens(bench).issue(a))).toBe(false);
});
