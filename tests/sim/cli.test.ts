/** The simulator's command line. */
import { expect, test } from 'vitest';
import { readArguments, runSimulator } from './cli.ts';

test.each([
  ['--nodes', 'many'],
  ['--nodes', '1'],
  ['--nodes', '30000'],
  ['--nodes', '-5'],
  ['--seed', '1.5'],
  ['--scenario', 'earthquake'],
])('says what is wrong with %s %s, and what there is', async (option, value) => {
  const lines: string[] = [];
  expect(await runSimulator([`${option}=${value}`], (line) => lines.push(line))).toBe(2);
  const [problem, ...usage] = lines.join('\n').split('\n');
  expect(problem).toContain(value);
  expect(usage.join('\n')).toContain('--scenario');
});

test('knows its words', () => {
  expect(readArguments([])).toEqual({ nodes: 300, seed: 7, scenario: 'static', trace: false });
  expect(readArguments(['--nodes', '12', '--seed', '0', '--scenario', 'churn', '--trace'])).toEqual({
    nodes: 12,
    seed: 0,
    scenario: 'churn',
    trace: true,
  });
  expect(readArguments(['--what'])).toHaveProperty('problem');
});

test('tells a scenario in lines that a person can read, and ends with the seed and the trace', { timeout: 300_000 }, async () => {
  const lines: string[] = [];
  expect(await runSimulator(['--nodes', '12', '--seed', '5', '--scenario', 'vanish', '--trace'], (line) => lines.push(line))).toBe(0);
  const text = lines.join('\n');
  expect(text).toMatch(/^vanish: 30% of all tabs vanish/);
  expect(text).toMatch(/^0:01:00 {2}\d+ tabs, links \d+ \/ \d+ \/ \d+ {2}\d+ messages \(\w+/m);
  expect(text).toMatch(/\d+ crash/);
  expect(text).toMatch(/^valuesAtOnce +100$/m);
  expect(text).toMatch(/^seed 5, \d+ messages in /m);
  expect(lines.at(-1)).toMatch(/^trace [0-9a-f]{64}$/);
});
