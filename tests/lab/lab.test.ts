/** The lab in short: each part with few tries. Where there is no root, or no namespaces, it says so and nothing is tested. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingGround } from './ground.ts';
import { runHomes } from './homes.ts';
import { runLan } from './lan.ts';
import { runLinks } from './links.ts';
import { runNats } from './nats.ts';
import { runPairs } from './pairs.ts';
import { runRelayed } from './relayed.ts';
import type { LabRow } from './row.ts';
import { buildSite } from './servers.ts';
import { closeWorlds } from './world.ts';

const DELAY = 25;
const SHORT = { tries: 1, delay: DELAY, say: (): void => undefined };
const trouble = missingGround((line) => console.log(line));

afterAll(closeWorlds);

test.runIf(trouble !== null)('the lab of real networks did not run, and says why', () => {
  console.log(`\nThe lab of real networks did NOT run: ${trouble}\n`);
});

describe.skipIf(trouble !== null)('the lab of real networks', () => {
  beforeAll(buildSite);

  test('has NATs that do as their kind does', async () => {
    expectAll(await runNats());
  });

  test('has links with the delay, loss and rate that they say', async () => {
    expectAll(await runLinks());
  });

  test('two homes link up at the first try, directly or by TURN', async () => {
    const pairs = [
      ['port-restricted', 'port-restricted'],
      ['full-cone', 'symmetric'],
    ] as const;
    expectAll(await runPairs({ ...SHORT, pairs }));
  });

  test('two people in one home link up on the LAN', async () => {
    expectAll(await runLan(SHORT));
  });

  test('video comes from another holder where there is no direct way', async () => {
    expectAll(await runRelayed(SHORT));
  });

  test('life goes on in six homes when the open nodes die', async () => {
    expectAll(await runHomes({ ...SHORT, minutes: 0, brief: true }));
  });
});

/** What was asked of each row was seen. */
function expectAll(rows: readonly LabRow[]): void {
  for (const { what, got } of rows) console.log(`${what}: ${got}`);
  expect(rows.filter(({ ok }) => ok === false)).toEqual([]);
  expect(rows.some(({ ok }) => ok)).toBe(true);
}
