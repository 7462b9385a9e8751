/** The network falls into two halves, both go on, and they come together again. */
import type { Scenario } from '../scenario.ts';
import { type LookupFigures, measureLookups } from '../workload/lookups.ts';
import { anyTab } from '../workload/pick.ts';
import { createPerson, createTopic } from '../workload/records.ts';
import { createValues } from '../workload/values.ts';
import type { SimNode } from '../world.ts';
import { lookupFigures, tellLookups, tellValues } from './telling.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const APART = 10 * MINUTE;
/** The halves have found each other when lookups find so much of what they should; this often it is looked, and so long it may take. */
const HEALED = 0.99;
const REUNION_STEP = 2 * MINUTE;
const REUNION_MOST = 30 * MINUTE;
/** After so long every item was stored again on the nodes nearest to it. */
const REPUBLISHED = 1.5 * HOUR;
const PEOPLE = 12;
const TOPICS = 6;
const VALUES = 40;
const LOOKUPS = 100;
/** Tabs that read each thing afterwards. */
const READERS = 5;

export const partition: Scenario = {
  name: 'partition',
  about: 'two halves can not hear each other for 10 minutes; records and sets are written on both sides',
  async play({ world, truth, random, tell, invariants }) {
    const { scheduler, network } = world;
    const sideOf = (host: { name: number }): number => host.name % 2;
    const on = (side: number): SimNode => {
      for (;;) {
        const one = anyTab(world, random);
        if (sideOf(one.host) === side) return one;
      }
    };
    const people = Array.from({ length: PEOPLE }, () => createPerson({ world, truth, random }));
    const topics = Array.from({ length: TOPICS }, (_, index) => createTopic({ world, truth, random }, `topic ${index}`));
    for (const person of people) await world.run(person.write(anyTab(world, random), 0, 'together'));
    for (const topic of topics) await world.run(topic.write(anyTab(world, random), 'together'));
    await scheduler.advance(MINUTE);

    network.partition(sideOf);
    await scheduler.advance(APART / 2);
    // Each device knows of its own side's version only; one person in two writes a second time.
    for (const [index, person] of people.entries()) {
      await world.run(person.write(on(0), 0, 'left'));
      await world.run(person.write(on(1), 1, 'right'));
      if (index % 2 === 0) await world.run(person.write(on(0), 0, 'left again'));
    }
    for (const topic of topics) {
      await world.run(topic.write(on(0), 'left'));
      await world.run(topic.write(on(1), 'right'));
    }
    const values = createValues(world, random);
    await values.publish(VALUES);
    await scheduler.advance(APART / 2);

    network.heal();
    let minutesToHeal = 0;
    let lookups: LookupFigures;
    do {
      await scheduler.advance(REUNION_STEP);
      minutesToHeal += REUNION_STEP / MINUTE;
      lookups = await measureLookups({ world, truth, random, count: LOOKUPS });
      tellLookups(tell, `${minutesToHeal} minutes after healing`, lookups);
    } while (lookups.exact < HEALED && minutesToHeal < REUNION_MOST / MINUTE);
    await scheduler.advance(REPUBLISHED);

    const found = await values.probe();
    tellValues(tell, found);
    let versions = 0;
    let fewest = Number.POSITIVE_INFINITY;
    const expectSame = (replicas: readonly string[], what: string): void => {
      fewest = Math.min(fewest, replicas.length);
      const different = new Set(replicas).size;
      if (different > 1) invariants.violated(`the replicas of ${what} are ${different} different ones, an hour after healing.`);
    };
    for (const person of people) {
      const read = new Set<string | null>();
      for (let i = 0; i < READERS; i++) read.add(await world.run(person.read(anyTab(world, random))));
      versions = Math.max(versions, read.size);
      expectSame(await person.replicas(), 'a record');
      if (read.has(null)) invariants.violated('a record is not found any more.');
    }
    let incomplete = 0;
    for (const topic of topics) {
      expectSame(await topic.replicas(), 'a set');
      for (let i = 0; i < READERS; i++) if ((await world.run(topic.read(anyTab(world, random)))).size < 3) incomplete++;
    }
    tell(
      `${versions === 1 ? 'one version' : `${versions} versions`} of each record is read; ${incomplete} of ${TOPICS * READERS} readings of sets were not complete`,
    );
    return {
      ...lookupFigures('lookup', lookups),
      valuesAsked: found.asked,
      valuesFound: found.found,
      versions,
      incomplete,
      fewestReplicas: fewest,
      minutesToHeal,
    };
  },
};
