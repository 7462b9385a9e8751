import { expect, it } from 'vitest';
import { levelOf, qualitiesOf, streamError, watchLink } from '../../../src/ui/stream-policy.ts';

it('offers qualities best first, after the automatic one, when there is a choice', () => {
  expect(qualitiesOf([{ height: 720, bitrate: 1 }])).toEqual([]);
  expect(
    qualitiesOf([
      { height: 360, bitrate: 700_000 },
      { height: 1080, bitrate: 1 },
      { height: 0, bitrate: 64_400 },
    ]),
  ).toMatchObject([
    { index: -1, name: 'Auto' },
    { index: 1, name: '1080p' },
    { index: 0, name: '360p' },
    { index: 2, name: '64 kbit/s' },
  ]);
});

it('tells two of one size apart', () => {
  const names = qualitiesOf([720, 720, 360].map((height, n) => ({ height, bitrate: 1_000_000 * (n + 1) }))).map(({ name }) => name);
  expect(names).toEqual(['Auto', '720p, 1000 kbit/s', '720p, 2000 kbit/s', '360p']);
});

it.each([
  [{ details: 'fragLoadError', response: { code: 404 } }, true, 'not-found'],
  [{ details: 'fragLoadError', response: { code: 504 } }, true, 'timeout'],
  [{ details: 'fragLoadTimeOut' }, true, 'timeout'],
  [{ details: 'manifestLoadError', response: { code: 0 } }, true, 'unreachable'],
  [{ details: 'bufferAppendError' }, false, 'unsupported'],
])('tells %j (network: %s) as %s', (failure, network, code) => {
  expect(streamError({ error: new Error('x'), ...failure }, network)).toMatchObject({ code, name: 'KadreelError' });
});

it('finds the level that people call so, whichever way the picture lies', () => {
  const levels = [
    { width: 1280, height: 720 },
    { width: 360, height: 640 },
  ];
  expect([levelOf(levels, '360p'), levelOf(levels, '720p'), levelOf(levels, '640p'), levelOf(levels, null)]).toEqual([1, 0, -1, -1]);
});

it('finds a link too slow when what comes is less than the lightest quality takes, or when playing stops again and again', () => {
  const part = { bytes: 500_000, ms: 8_000, lightest: 1_000_000 };
  const slow = watchLink();
  for (let n = 0; n < 3; n++) slow.loaded(part);
  expect(slow.tooSlow(), 'too little is known').toBeNull();
  slow.loaded(part);
  expect(slow.tooSlow()).toBe(500_000);
  for (let n = 0; n < 4; n++) slow.loaded({ ...part, ms: 4_000 });
  expect(slow.tooSlow(), 'it got better').toBeNull();

  const stopping = watchLink();
  for (const at of [0, 30_000, 59_000]) stopping.stopped(at);
  expect(stopping.tooSlow()).not.toBeNull();
  const once = watchLink();
  for (const at of [0, 61_000, 122_000, 183_000]) once.stopped(at);
  expect(once.tooSlow(), 'once a minute').toBeNull();
});
