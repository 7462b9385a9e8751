/** All scenarios by name. */
import type { Scenario } from '../scenario.ts';
import { churn } from './churn.ts';
import { day } from './day.ts';
import { idle } from './idle.ts';
import { lossy } from './lossy.ts';
import { partition } from './partition.ts';
import { still } from './static.ts';
import { stay } from './stay.ts';
import { vanish } from './vanish.ts';

export const SCENARIOS: ReadonlyMap<string, Scenario> = new Map(
  [still(), churn(), vanish({ share: 0.3 }), vanish({ share: 0.5 }), partition, lossy, idle, stay, day()].map((scenario) => [
    scenario.name,
    scenario,
  ]),
);
