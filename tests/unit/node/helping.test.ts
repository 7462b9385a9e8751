/** Doing jobs for others, and what they may cost (docs/protocol.md, rules J). */
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/base/bytes.ts';
import { fail } from '../../../src/base/errors.ts';
import { encode } from '../../../src/base/schema.ts';
import { type Deferred, deferred } from '../../../src/base/timing.ts';
import type { GroupDescriptor } from '../../../src/media/manifest.ts';
import { type MadeSegment, PINNED, type TranscodeJob, transcodeJobSchema } from '../../../src/media/transcode-job.ts';
import type { CallContext } from '../../../src/node/handlers.ts';
import { createHelpers } from '../../../src/node/helpers.ts';
import { createHelping, type HelpWork } from '../../../src/node/helping.ts';
import { syntheticSource } from '../media/synthetic-video.ts';
import { createBench } from './support/bench.ts';
import { fakeLink } from './support/fake-link.ts';

const { sources, segments } = syntheticSource(4);
const [source] = segments as readonly [Bytes];
const JOB = { ...sources[0], width: 426, height: 240, bitrate: 400_000, rate: 30_000 } as TranscodeJob;
const MADE: MadeSegment = { init: new Uint8Array(20), bytes: new Uint8Array(100) };

const GROUP: GroupDescriptor = { segments: [{ digest: JOB.digest, size: JOB.size, duration: 4_000 }] };

type Options = Partial<Pick<Parameters<typeof createHelping>[0], 'limits' | 'find' | 'describe'>>;

function setup(options: { work?: Partial<HelpWork>; disk?: Bytes | null } & Options = {}) {
  const bench = createBench();
  const { contact, storeId } = bench.someone();
  const told: unknown[] = [];
  const noted: (GroupDescriptor | null)[] = [];
  let fetched = 0;
  let bytes: Bytes = source;
  const link = fakeLink({
    contact,
    storeId,
    call: async (method, request) => {
      if (method === 'HELP') told.push(request);
      return {};
    },
    fetch: async () => {
      fetched++;
      return bytes;
    },
  });
  const helping = createHelping({
    ...bench,
    crypto: { ...bench.crypto, digest: async (of) => (of === source ? JOB.digest : new Uint8Array(32).fill(of.length)) },
    groups: { segment: async () => options.disk ?? null },
    find: options.find ?? (() => Promise.reject(fail('not-found', 'Nobody has it.'))),
    describe: options.describe ?? (async () => ({ descriptor: GROUP })),
    onMade: (_job, _made, group) => noted.push(group),
    links: () => [link],
    ...(options.limits && { limits: options.limits }),
  });
  helping.offer({ slots: 1, run: async () => MADE, ...options.work });
  const streamed: number[] = [];
  const ask = (change: Partial<TranscodeJob> = {}, context: Partial<CallContext> = {}) => {
    const request = { job: encode(transcodeJobSchema, { ...JOB, ...change }), window: 1_000 };
    const stream: CallContext['stream'] = ({ bytes }) => void streamed.push(bytes.length);
    return Promise.resolve(
      helping.handlers.TRANSCODE(request, {
        from: contact,
        relayed: false,
        link,
        signal: new AbortController().signal,
        stream,
        ...context,
      }),
    );
  };
  return {
    bench,
    helping,
    link,
    told,
    noted,
    streamed,
    ask,
    contact,
    fetched: () => fetched,
    send: (other: Bytes) => {
      bytes = other;
    },
  };
}

describe('HELP', () => {
  test('[J1] is told to linked tabs when it begins and ends, and to those that link later', () => {
    const { helping, told, link } = setup();
    expect(told).toEqual([{ slots: 1, pinned: PINNED }]);
    helping.linked(link);
    helping.withdraw('Enough.');
    helping.linked(link);
    expect(told.map((one) => (one as { slots: number }).slots)).toEqual([1, 1, 0]);
  });

  test('[J4] a helper that sends other bytes than it says is found out', async () => {
    const { bench, contact } = setup();
    const { crypto } = bench;
    const answering = (digest: Bytes) => {
      const link = { ...fakeLink({ contact, storeId: bench.random.bytes(16) }), transcode: async () => ({ ...MADE, digest }) };
      return createHelpers({ crypto, linked: () => link }).ask(contact.id, JOB, { deadline: 1000, signal: new AbortController().signal });
    };
    expect(await answering(await crypto.digest(MADE.bytes))).toEqual(MADE);
    await expect(answering(await crypto.digest(MADE.init))).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('[J1] names helpers with our converter, as long as they are linked', () => {
    const { bench, link, contact } = setup();
    const helpers = createHelpers({ crypto: bench.crypto, linked: () => link });
    const tell = (slots: number, pinned = PINNED, relayed = false) =>
      helpers.handlers.HELP({ slots, pinned }, { from: contact, relayed, link, signal: new AbortController().signal, stream: null });
    let changes = 0;
    helpers.onChange(() => changes++);
    tell(2);
    expect(helpers.list()).toEqual([{ id: contact.id, slots: 2 }]);
    tell(0);
    tell(0);
    tell(2, PINNED + 1);
    expect(helpers.list()).toEqual([]);
    expect(changes).toBe(2);
    expect(() => tell(1, PINNED, true)).toThrow(/link/);
    tell(1);
    helpers.unlinked(fakeLink({ contact, storeId: bench.random.bytes(16) }));
    expect(helpers.list()).toHaveLength(1);
    helpers.unlinked(link);
    expect(helpers.list()).toEqual([]);
  });
});

describe('TRANSCODE', () => {
  test('[J4] fetches the source from who asks, or reads it here, and answers with what is made', async () => {
    const remote = setup();
    expect(await remote.ask()).toEqual({ init: MADE.init, size: 100, digest: new Uint8Array(32).fill(100) });
    expect([remote.fetched(), remote.streamed]).toEqual([1, [100]]);
    expect(remote.helping.done).toEqual({ jobs: 1, seconds: 4 });
    const here = setup({ disk: source });
    await here.ask();
    expect(here.fetched()).toBe(0);
  });

  test('[J9] what who asks has not got is fetched from holders, and looked at like anything else', async () => {
    const asked: unknown[] = [];
    const find = async (request: unknown): Promise<Bytes> => {
      asked.push(request);
      return source;
    };
    const nobody = fakeLink({
      ...createBench().someone(),
      call: async () => ({}),
      fetch: () => Promise.reject(fail('not-found', 'I do not keep that segment.')),
    });
    const { ask } = setup({ find });
    expect(await ask({}, { link: nobody })).toMatchObject({ size: 100 });
    expect(asked).toMatchObject([{ group: JOB.group, segment: JOB.segment }]);
    const wrong = setup({ find: async () => source.slice() });
    await expect(wrong.ask({}, { link: nobody })).rejects.toMatchObject({ code: 'invalid' });
    const broken = fakeLink({
      ...createBench().someone(),
      call: async () => ({}),
      fetch: () => Promise.reject(fail('closed', 'The link has ended.')),
    });
    await expect(ask({}, { link: broken })).rejects.toMatchObject({ code: 'closed' });
    expect(asked).toHaveLength(1);
  });

  test('[J12] what a source is of is known where it was found here or at holders, not where it came from who asks', async () => {
    const nobody = fakeLink(createBench().someone());
    const find = async (): Promise<Bytes> => source;
    const sent = setup();
    await sent.ask();
    const here = setup({ disk: source });
    await here.ask();
    const found = setup({ find });
    await found.ask({}, { link: nobody });
    const forgotten = setup({ find, describe: () => Promise.reject(fail('not-found', 'Nobody has it.')) });
    await forgotten.ask({}, { link: nobody });
    expect([sent, here, found, forgotten].map(({ noted }) => noted)).toEqual([[null], [GROUP], [GROUP], [null]]);
  });

  test('[J3] [L4] what no helper does is refused before anything is fetched', async () => {
    const { ask, fetched, helping } = setup();
    await expect(ask({ end: 31_000_000 })).rejects.toMatchObject({ code: 'invalid' });
    await expect(ask({}, { relayed: true })).rejects.toMatchObject({ code: 'refused' });
    await expect(ask({}, { stream: null })).rejects.toMatchObject({ code: 'refused' });
    helping.withdraw('Enough.');
    await expect(ask()).rejects.toMatchObject({ code: 'refused' });
    expect(fetched()).toBe(0);
  });

  test('[J4] a source of other bytes is not looked at', async () => {
    let runs = 0;
    const { ask, send } = setup({
      work: {
        run: async () => {
          runs++;
          return MADE;
        },
      },
    });
    send(source.slice());
    await expect(ask()).rejects.toMatchObject({ code: 'invalid' });
    expect(runs).toBe(0);
  });

  test('[J4] one is computed, one waits, a third is refused; each ends when its turn has come', async () => {
    const going: Deferred<MadeSegment>[] = [];
    const run = (): Promise<MadeSegment> => {
      const one = deferred<MadeSegment>();
      going.push(one);
      return one.promise;
    };
    const { bench, ask } = setup({ work: { run } });
    const [first, second] = [ask(), ask()];
    await bench.advance(10);
    expect(going).toHaveLength(1);
    await expect(ask()).rejects.toMatchObject({ code: 'refused' });
    going[0]?.resolve(MADE);
    await first;
    await bench.advance(10);
    expect(going).toHaveLength(2);
    const third = ask();
    going[1]?.resolve(MADE);
    await second;
    await bench.advance(10);
    going[2]?.resolve(MADE);
    expect(await third).toMatchObject({ size: 100 });
    expect(bench.pending).toBe(0);
  });

  test('[J8] ends when it is cancelled, and when helping is switched off; the place is free then', async () => {
    const { bench, ask, helping } = setup({
      work: { run: (_job, _source, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) },
    });
    for (const end of ['cancel', 'switch'] as const) {
      const asked = new AbortController();
      const code = ask({}, { signal: asked.signal }).then(
        () => null,
        (error: { code: string }) => error.code,
      );
      await bench.advance(10);
      if (end === 'cancel') asked.abort(fail('aborted', 'The caller cancelled.'));
      else helping.withdraw('Enough.');
      expect(await code).toBe(end === 'cancel' ? 'aborted' : 'refused');
    }
    helping.offer({ slots: 1, run: async () => MADE });
    expect(await bench.code(ask())).toBeNull();
  });

  test('[J4] who asks for what does not end, or is no video, is not served for a while', async () => {
    for (const run of [() => new Promise<MadeSegment>(() => undefined), () => Promise.reject(fail('invalid', 'That is no segment.'))]) {
      const { bench, ask } = setup({ work: { run }, limits: { working: 1_000, shunned: 60_000 } });
      expect(['timeout', 'invalid']).toContain(await bench.code(ask()));
      expect(await bench.code(ask())).toBe('refused');
      await bench.advance(61_000);
      expect(['timeout', 'invalid']).toContain(await bench.code(ask()));
    }
  });

  test('[J5] more than the job can give is not sent', async () => {
    const { bench, ask } = setup({ work: { run: async () => ({ ...MADE, bytes: new Uint8Array(2_000_000) }) } });
    expect(await bench.code(ask())).toBe('internal');
  });
});
