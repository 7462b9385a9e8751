/** A network that falls in two and comes together again (docs/protocol.md, rules S5 and S16; design §11). */
import { expect, test } from 'vitest';
import { fromUtf8, toUtf8 } from '../../../src/base/bytes.ts';
import { compareDistance, type Key } from '../../../src/kademlia/key.ts';
import { openEntries, openTermed, rowOf } from '../../../src/node/item-rows.ts';
import { DEFAULT_SETTINGS } from '../../../src/node/settings.ts';
import { topicKey, writeEntry } from '../../../src/records/entry.ts';
import { openRecord, recordKey, writeRecord } from '../../../src/records/record.ts';
import type { Device } from '../../../src/records/vector-clock.ts';
import { seededRandom } from '../../sim/random.ts';
import { createWorld, type SimNode } from '../../sim/world.ts';

const SEED = Number(process.env.SEED ?? 5);
const TABS = 60;
const RECORDS = 8;
const HOUR = 3_600_000;
/** Ms until the nodes of both sides have found and linked each other again, and handed over what changed. */
const HEALING = 600_000;
/** What keeps each half together when the other one's is out of reach, and when it is back. */
const OPEN = ['ws://open-0/ws', 'ws://open-1/ws'] as const;

test(`[S5] [S16] after a partition what both sides wrote is the same on all who keep it when they are linked again (seed ${SEED})`, {
  timeout: 120_000,
}, async () => {
  const world = createWorld({ seed: SEED, bootstrap: OPEN });
  const { clock } = world.scheduler;
  for (const open of OPEN) world.add({ open });
  for (let i = 0; i < TABS; i++) {
    world.add();
    await world.scheduler.advance(200);
  }
  await world.scheduler.advance(60_000);
  const signers = Array.from({ length: RECORDS }, (_, i) => world.crypto.signer(seededRandom(100 + i)));
  const keyOf = (i: number): Key => recordKey(world.crypto, (signers[i] as (typeof signers)[number]).publicKey, 'n');
  const topic = topicKey(world.crypto, 'talk');
  /** From the side with this number, the writer's own device there. */
  const write = async (side: number, i: number, round: number): Promise<void> => {
    const signer = signers[i] as (typeof signers)[number];
    const { overlay } = (world.nodes[2 + 2 * i + side] as SimNode).node;
    const previous = await world.run(overlay.findRecord(keyOf(i), { settle: 'newest' }));
    const device = String(side + 1).repeat(16) as Device;
    const record = await writeRecord({ signer, device, name: 'n', value: fromUtf8(`${side}/${round}`), now: clock.now(), previous });
    await world.run(overlay.store(keyOf(i), { type: 'record', signed: record.signed }));
    const time = clock.now();
    const entry = await writeEntry({ signer, topic, name: `${side}/${round}`, value: fromUtf8('x'), time, expires: time + 9 * HOUR });
    await world.run(overlay.store(topic, { type: 'entry', signed: entry.signed }));
  };
  for (let i = 0; i < RECORDS; i++) await write(0, i, 0);

  const sideOf = new Map(world.nodes.map(({ host }, index) => [host, index % 2]));
  world.network.partition((host) => sideOf.get(host) ?? 0);
  await world.scheduler.advance(60_000);
  for (let i = 0; i < RECORDS; i++) {
    await write(0, i, 1);
    await world.scheduler.advance(1_000);
    await write(1, i, 1);
  }
  await world.scheduler.advance(60_000);
  world.network.heal();
  await world.scheduler.advance(HEALING);

  const nearest = (key: Key): SimNode[] =>
    [...world.nodes].sort((a, b) => compareDistance(key, a.node.contact.id, b.node.contact.id)).slice(0, DEFAULT_SETTINGS.k);
  let missing = 0;
  for (let i = 0; i < RECORDS; i++) {
    const versions = new Set<string | null>();
    for (const { store } of nearest(keyOf(i))) {
      const row = await store.get('items', rowOf('record', keyOf(i)));
      const item = row && openTermed('record', row, clock.now())?.item;
      if (item?.type === 'record') versions.add(toUtf8(openRecord(item.signed)?.body.value ?? new Uint8Array()));
      else missing++;
    }
    expect([...versions], `record ${i}`).toEqual(['1/1']);
  }
  const sets = new Set<string>();
  for (const { store } of nearest(topic)) {
    const entries = openEntries(await store.get('items', rowOf('entries', topic)));
    sets.add(
      entries
        .map(({ body }) => body.name)
        .toSorted()
        .join(),
    );
  }
  expect(missing).toBe(0);
  expect([...sets]).toEqual([Array.from({ length: 3 * RECORDS }, (_, i) => ['0/0', '0/1', '1/1'][Math.floor(i / RECORDS)]).join()]);
  world.close();
});
