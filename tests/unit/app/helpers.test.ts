/** Tabs that make each other's smaller pictures, over real links of simulated nodes (docs/protocol.md, rules J). */
import { afterEach, describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import type { QualityState, SharedWork } from '../../../src/app/api.ts';
import { type Bytes, equal } from '../../../src/base/bytes.ts';
import { encode } from '../../../src/base/schema.ts';
import { wait } from '../../../src/base/timing.ts';
import { createGroupPacker, type PackedGroup } from '../../../src/media/group.ts';
import { transcodeJobSchema } from '../../../src/media/transcode-job.ts';
import { doJob, syntheticSource } from '../media/synthetic-video.ts';
import { type AppWorld, createAppWorld, type Tab, type TabOptions } from './app-world.ts';
import { type FakeCut, fakeFile } from './fake-transcoder.ts';
import { createMemoryFiles } from './memory-files.ts';

let world: AppWorld;
afterEach(() => world.close());

const video = syntheticSource(48);
const SOURCE: FakeCut = { height: 720, video, quick: false };
/** What a job takes (ms). */
const JOB = 3_000;
const taking = (ms: number): FakeCut => ({ converting: (signal) => wait(world.scheduler.clock, ms, signal) });

async function helper(options: TabOptions = {}): Promise<Tab> {
  const tab = world.tab({ cut: taking(JOB), ...options });
  await world.run(tab.app.help.set(true));
  return tab;
}

/** A publisher whose own converter takes as long as a helper's, and its first helpers. */
async function network(helpers: readonly TabOptions[], own: FakeCut = {}): Promise<{ publisher: Tab; helpers: readonly Tab[] }> {
  world = createAppWorld(11);
  world.openNode();
  const publisher = world.tab({ cut: { ...SOURCE, ...taking(JOB), ...own } });
  const tabs: Tab[] = [];
  for (const options of helpers) tabs.push(await helper(options));
  await world.pass(10_000);
  return { publisher, helpers: tabs };
}

async function publish(tab: Tab) {
  let qualities: readonly QualityState[] = [];
  let work: SharedWork | null = null;
  const since = world.scheduler.clock.now();
  const { videoId, done } = await world.run(
    tab.app.publish(fakeFile(1), {
      title: 'Sea',
      onQualities: (states) => {
        qualities = states;
      },
      onSharedWork: (told) => {
        work = told;
      },
    }),
  );
  return {
    videoId,
    done: done.then(() => world.scheduler.clock.now() - since),
    qualities: () => qualities.map(({ name, phase }) => `${name} ${phase}`),
    work: () => work as SharedWork | null,
  };
}

const ALL = ['480p made', '360p made', '240p made'];

describe('[J1] a tab that is switched on', () => {
  test('is told of to who is linked, and to who links later; switched off it is asked no more', async () => {
    const { publisher, helpers } = await network([{}]);
    const [one] = helpers as readonly [Tab];
    const known = () => publisher.node.helpers.list().map(({ id }) => id);
    expect(known()).toEqual([one.node.contact.id]);
    const later = world.tab();
    await world.pass(5_000);
    expect(later.node.helpers.list().map(({ id }) => id)).toEqual([one.node.contact.id]);
    await world.run(one.app.help.set(false));
    await world.pass(1_000);
    expect(known()).toEqual([]);
  });

  test('stays so on its disk, and rests on battery and on metered links', async () => {
    const store = createMemoryStore(1e9);
    await network([{ store }]);
    for (const [conditions, rest] of [
      [{ onBattery: true, metered: false }, 'battery'],
      [{ onBattery: false, metered: true }, 'metered'],
      [{ onBattery: false, metered: false }, null],
    ] as const) {
      const tab = world.tab({ store, conditions });
      await world.pass(5_000);
      expect(tab.app.help.view()).toMatchObject({ on: true, rest });
    }
  });
});

describe('[J1] how many jobs a tab does at once', () => {
  test('is told to who is linked when the person changes it, and is there again at the next start', async () => {
    const store = createMemoryStore(1e9);
    const { publisher, helpers } = await network([{ store }]);
    const [one] = helpers as readonly [Tab];
    const id = one.node.contact.id;
    expect(publisher.node.helpers.list()).toEqual([{ id, slots: 1 }]);
    await world.run(one.app.help.tune({ slots: 3 }));
    await world.pass(1_000);
    expect(publisher.node.helpers.list()).toEqual([{ id, slots: 3 }]);
    const again = world.tab({ store });
    await world.pass(5_000);
    expect(again.app.help.view()).toMatchObject({ on: true, slots: 3 });
    expect(publisher.node.helpers.list()).toContainEqual({ id: again.node.contact.id, slots: 3 });
  });

  test('makes a video so much sooner', async () => {
    const times: number[] = [];
    for (const slots of [1, 4]) {
      const { publisher, helpers } = await network([{}]);
      await world.run((helpers[0] as Tab).app.help.tune({ slots }));
      await world.pass(1_000);
      times.push(await world.run((await publish(publisher)).done));
      world.close();
    }
    const [one, four] = times as [number, number];
    console.info(`36 jobs of 3 s: ${one} ms one at a time, ${four} ms four at a time`);
    expect(one / four).toBeGreaterThan(1.7);
  });
});

describe('publishing with helpers', () => {
  test.each([0, 1])('[J6] the share of their work that is made twice is what the person set: %d', async (checkShare) => {
    const { publisher } = await network([{}, {}]);
    await world.run(publisher.app.help.tune({ checkShare }));
    const one = await publish(publisher);
    await world.run(one.done);
    const workers = one.work()?.workers ?? [];
    const count = (wanted: string, of: typeof workers): number =>
      of.flatMap(({ spans }) => spans).filter(({ outcome }) => outcome === wanted).length;
    const made = count(
      'made',
      workers.filter(({ id }) => id !== 'own'),
    );
    expect(made).toBeGreaterThan(10);
    expect(count('checked', workers)).toBe(checkShare * made);
  });

  test('all qualities are made, sooner with more helpers, and play from elsewhere', async () => {
    const few = await network([{}]);
    const slow = await world.run((await publish(few.publisher)).done);
    world.close();

    const { publisher, helpers } = await network([{}, {}, {}]);
    const two = await publish(publisher);
    const quick = await world.run(two.done);
    expect(two.qualities()).toEqual(ALL);
    console.info(`36 jobs of 3 s: ${slow} ms with one helper, ${quick} ms with three`);
    expect(slow / quick).toBeGreaterThan(1.6);
    const jobs = helpers.map(({ app }) => app.help.view().jobs);
    expect(Math.min(...jobs)).toBeGreaterThanOrEqual(6);
    expect(two.work()?.workers.map(({ id }) => id)).toEqual(expect.arrayContaining(['own', ...helpers.map(({ node }) => node.contact.id)]));
    expect(two.work()?.speedUp).toBeGreaterThan(2);
    const manifest = await world.run(world.tab({ keeps: false }).app.manifest(two.videoId));
    expect(manifest.renditions.map(({ height }) => height)).toEqual([720, 0, 240, 360, 480]);
  });

  test('[J8] a helper whose publisher dies stops within seconds', async () => {
    const { publisher, helpers } = await network([{ cut: taking(600_000) }], taking(600_000));
    const [one] = helpers as readonly [Tab];
    await publish(publisher);
    await world.pass(2_000);
    expect(one.working()).toBeGreaterThan(0);
    publisher.crash();
    await world.pass(8_000);
    expect(one.working()).toBe(0);
  });

  test('[J6] [M16] a helper that is found out late: what it made is right in the next version of what was published', async () => {
    const { publisher, helpers } = await network([{}]);
    const [one] = helpers as readonly [Tab];
    // Another video of the right shape at first, which nothing but a comparison shows; in the end something that anybody sees.
    one.node.helping.offer({
      slots: 1,
      async run(job, source, signal) {
        await wait(world.scheduler.clock, 500, signal);
        const made = doJob(job, source);
        const bytes = job.height === 480 ? made.bytes.slice(0, -10) : made.bytes.slice();
        if (job.height === 240) bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
        return { ...made, bytes };
      },
    });
    const made = await publish(publisher);
    const wrongIn = async (): Promise<number> => {
      const { renditions } = await world.run(publisher.app.manifest(made.videoId));
      const small = renditions.find(({ height }) => height === 240);
      if (small?.groups.type !== 'inline') return -1;
      let wrong = 0;
      let n = 0;
      for (const { key, durations } of small.groups.groups) {
        for (const index of durations.keys()) {
          const [source, segment] = [video.sources[n], video.segments[n]];
          const right = doJob(
            { ...(source as NonNullable<typeof source>), width: 426, height: 240, bitrate: 1, rate: 1 },
            segment as Bytes,
          );
          const kept = await world.run(publisher.node.groups.segment(key, index));
          if (!kept || !equal(kept, right.bytes)) wrong++;
          n++;
        }
      }
      return wrong;
    };
    let before: number | null = null;
    while (before === null) {
      await world.pass(500);
      if (made.qualities().includes('240p made')) before = await wrongIn();
    }
    expect(before).toBeGreaterThan(0);
    await world.run(made.done);
    // Two groups of each of five renditions: none of what was wrong, and none twice. Others may bring the old ones back, as copies that they have.
    expect((await world.run(publisher.node.groups.usage())).groups).toBe(10);
    await world.pass(31_000); // the page reads its own manifest anew
    await wrongIn();
    await world.pass(1_000);
    expect(await wrongIn()).toBe(0);
    expect(made.work()?.workers.find(({ id }) => id === one.node.contact.id)?.dropped).toBe(true);
    expect(made.qualities()).toEqual(ALL);
  });

  test('[W1] a publisher that dies while others help it goes on behind what is on its disk', async () => {
    world = createAppWorld(11);
    world.openNode();
    let jobs = 0;
    const cut: FakeCut = {
      converting: (signal) => {
        jobs++;
        return wait(world.scheduler.clock, JOB, signal);
      },
    };
    const [store, files] = [createMemoryStore(1e9), createMemoryFiles('asks')];
    const account = world.crypto.signer({ bytes: (length) => new Uint8Array(length).fill(7), float: () => 0.5 });
    const open = (): Tab => world.tab({ store, files, account, cut: { ...SOURCE, ...cut } });
    const victim = open();
    await helper({ cut });
    await helper({ cut });
    await world.pass(10_000);
    const { videoId, done } = await publish(victim);
    done.catch(() => undefined); // Its tab is closed.
    let kept: readonly string[] = [];
    while (kept.length < 8) {
      await world.pass(500);
      kept = (await store.keys('segments', 'open/')).filter((key) => key.includes('0p/'));
    }
    victim.app.close('the tab was closed');
    victim.crash();
    const next = open();
    let left = 1;
    let id = '';
    next.app.onUnfinished((unfinished) => {
      left = unfinished.length;
      id = unfinished[0]?.id ?? id;
    });
    // It is linked with its helpers when the person gives it the file.
    await world.pass(10_000);
    const before = jobs;
    await world.run(next.app.goOn(id));
    for (let passed = 0; passed < 400 && (left > 0 || passed < 10); passed++) await world.pass(1_000);
    expect(left).toBe(0);
    const { renditions } = await world.run(world.tab({ keeps: false }).app.manifest(videoId));
    expect(renditions.map(({ height }) => height).sort((a, b) => a - b)).toEqual([0, 240, 360, 480, 720]);
    for (const { width, height, groups } of renditions) {
      if (height === 0 || height === 720 || groups.type !== 'inline') continue;
      const segments = groups.groups.flatMap(({ key, durations }) => durations.map((_, index) => ({ key, index })));
      expect(segments).toHaveLength(video.segments.length);
      for (const [n, { key, index }] of segments.entries()) {
        const source = video.sources[n] as NonNullable<(typeof video.sources)[number]>;
        const right = doJob({ ...source, width, height, bitrate: 1, rate: 1 }, video.segments[n] as Bytes);
        const there = await world.run(next.node.groups.segment(key, index));
        expect(there && equal(there, right.bytes), `segment ${n} of ${height}p`).toBe(true);
      }
    }
    expect([...(await store.keys('meta', 'journal/')), ...(await store.keys('segments', 'open/'))]).toEqual([]);
    console.info(`${before} jobs until the publisher died with ${kept.length} segments on its disk, ${jobs - before} after that`);
    // Some are made twice, to compare or as one was slow.
    expect(jobs - before).toBeLessThan(36 - kept.length + 6);
  });

  test('[J7] a helper that dies in the middle takes nothing with it', async () => {
    const { publisher, helpers } = await network([{}, {}]);
    const made = await publish(publisher);
    await world.pass(7_000);
    helpers[0]?.crash();
    await world.run(made.done);
    expect(made.qualities()).toEqual(ALL);
  });

  test.each([true, false])('a tab makes all itself when nobody helps, without a job (quick encoder: %s)', async (quick) => {
    const { publisher } = await network([], { quick });
    const made = await publish(publisher);
    world.tab();
    world.tab();
    await world.run(made.done);
    expect(made.qualities()).toEqual(ALL);
    expect(made.work()).toBeNull();
  });
});

describe('a hostile publisher', () => {
  const [source] = video.sources;
  const job = { ...source, width: 426, height: 240, bitrate: 400_000, rate: 30_000 } as Parameters<Tab['node']['helpers']['ask']>[1];

  async function asks(change: Partial<typeof job>, cut: FakeCut = {}) {
    const { publisher, helpers } = await network([{ cut }]);
    const [one] = helpers as readonly [Tab];
    const encoded = encode(transcodeJobSchema, { ...job, ...change });
    const link = publisher.node.links().find(({ id }) => id === one.node.contact.id);
    const ask = (): Promise<unknown> => {
      if (!link) throw new Error('They are not linked.');
      return link.transcode({ job: encoded, most: 1e7, deadline: 900_000 });
    };
    return { one, ask };
  }
  const code = (asked: Promise<unknown>): Promise<string | null> =>
    world.run(
      asked.then(
        () => null,
        (error: { code: string }) => error.code,
      ),
    );

  test('[J3] is told no before anything is fetched, when it asks for too much', async () => {
    const { ask } = await asks({ end: 31_000_000 });
    expect(await code(ask())).toBe('invalid');
  });

  test('[J4] that has no such segment, or another one, costs no converter', async () => {
    const { one, ask } = await asks({});
    expect(await code(ask())).toBe('not-found');
    expect(one.app.help.view().jobs).toBe(0);
  });

  test('[J4] whose work never ends is stopped, and not served again for a while', async () => {
    const cut: FakeCut = {
      converting: (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    };
    const { publisher, helpers } = await network([{ cut }]);
    const [one] = helpers as readonly [Tab];
    const link = publisher.node.links().find(({ id }) => id === one.node.contact.id);
    const bytes = video.segments[0] as Bytes;
    const packer = createGroupPacker(world.crypto);
    const { size, digest } = { size: bytes.length, digest: await world.crypto.digest(bytes) };
    packer.add({ size, digest, duration: 4_000_000 });
    const group = packer.finish() as PackedGroup;
    await world.run(publisher.node.groups.put({ group: group.key, encoded: group.encoded, index: 0, bytes, role: 'own' }));
    const encoded = encode(transcodeJobSchema, { ...job, group: group.key, segment: 0, size, digest });
    const ask = (): Promise<unknown> => (link as NonNullable<typeof link>).transcode({ job: encoded, most: 1e7, deadline: 900_000 });
    expect(await code(ask())).toBe('timeout');
    expect(one.working()).toBe(0);
    expect(await code(ask())).toBe('refused');
  });
});
