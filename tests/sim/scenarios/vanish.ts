/** A large part of all tabs goes in the same instant, without a word. */
import type { Figures, Scenario, Stage } from '../scenario.ts';
import { createGroups } from '../workload/groups.ts';
import { someTabs } from '../workload/pick.ts';
import { createValues } from '../workload/values.ts';
import { tellGroups, tellValues } from './telling.ts';

/** Virtual ms in which those who vanished come back, and for repair. */
const RETURNS = 30_000;
const REPAIR = 60_000;
/** The share of them that comes back, with their disks. */
const RETURNING = 0.7;

export interface VanishOptions {
  /** Of all tabs. */
  readonly share: number;
  readonly values: number;
  readonly groups: number;
  /** In the end the others come back, too: what is played next has as many as before. */
  readonly all: boolean;
}

export function vanish({ share, values = 100, groups = 60, all = false }: Partial<VanishOptions> & Pick<VanishOptions, 'share'>): Scenario {
  return {
    name: share === 0.5 ? 'vanish-half' : 'vanish',
    about: `${100 * share}% of all tabs vanish at once; what was stored is looked for right after, and after ${RETURNING * 100}% of them came back`,
    play: (stage) => playVanish(stage, { share, values, groups, all }),
  };
}

async function playVanish({ world, random, tell, timeline }: Stage, options: VanishOptions): Promise<Figures> {
  const values = createValues(world, random);
  const groups = createGroups(world, random);
  await values.publish(options.values);
  const copies = await groups.publish(options.groups);
  tell(`${options.values} values and ${options.groups} groups stored, ${copies.toFixed(1)} copies of each group besides the publisher's`);
  const gone = someTabs(world, random, options.share);
  for (const one of gone) {
    one.crash();
    timeline.note('crash');
  }
  const valuesAtOnce = await values.probe();
  tell(`right after ${gone.length} tabs vanished:`);
  tellValues(tell, valuesAtOnce);
  const before = await groups.census();
  const groupsAtOnce = await groups.probe();
  tellGroups(tell, groupsAtOnce, before);
  const comeBack = async (some: typeof gone): Promise<void> => {
    for (const one of some) {
      world.scheduler.clock.after(random.float() * RETURNS, () => {
        one.comeBack();
        timeline.note('return');
      });
    }
    await world.scheduler.advance(RETURNS + REPAIR);
  };
  const returning = Math.round(RETURNING * gone.length);
  await comeBack(gone.slice(0, returning));
  const [valuesLater, groupsLater, after] = [await values.probe(), await groups.probe(), await groups.census()];
  tell('a minute after many of them came back:');
  tellValues(tell, valuesLater);
  tellGroups(tell, groupsLater, after);
  if (options.all) await comeBack(gone.slice(returning));
  return {
    valuesAsked: valuesAtOnce.asked,
    valuesAtOnce: valuesAtOnce.found,
    valuesBroken: valuesAtOnce.broken + valuesLater.broken,
    valuesLater: valuesLater.found,
    groupsAsked: groupsAtOnce.asked,
    groupsAtOnce: groupsAtOnce.found,
    groupsHeldAtOnce: groupsAtOnce.asked - before.away,
    groupsLater: groupsLater.found,
    groupsHeldLater: groupsLater.asked - after.away,
    copiesLater: after.copies,
  };
}
