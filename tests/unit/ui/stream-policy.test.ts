import { expect, it } from 'vitest';
import { qualitiesOf, streamError } from '../../../src/ui/stream-policy.ts';

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

it.each([
  [{ details: 'fragLoadError', response: { code: 404 } }, true, 'not-found'],
  [{ details: 'fragLoadError', response: { code: 504 } }, true, 'timeout'],
  [{ details: 'fragLoadTimeOut' }, true, 'timeout'],
  [{ details: 'manifestLoadError', response: { code: 0 } }, true, 'unreachable'],
  [{ details: 'bufferAppendError' }, false, 'unsupported'],
])('tells %j (network: %s) as %s', (failure, network, code) => {
  expect(streamError({ error: new Error('x'), ...failure }, network)).toMatchObject({ code, name: 'KadreelError' });
});
