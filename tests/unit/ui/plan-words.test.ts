import { expect, test } from 'vitest';
import type { MediaProbe } from '../../../src/base/ports.ts';
import { planWords } from '../../../src/ui/plan-words.ts';

const picture = (copied: boolean): MediaProbe['video'] => ({
  ...{ codec: 'avc', width: 640, height: 360, rotation: 0, frameRate: 30, variable: false, bitrate: null },
  copied,
});

test.each<[string, Pick<MediaProbe, 'plan' | 'video'>, RegExp]>([
  ['a copy', { plan: 'copy', video: picture(true) }, /^Copied as it is$/],
  ['a copy with other sound', { plan: 'transcode', video: picture(true) }, /^Copied, its sound converted/],
  ['a conversion', { plan: 'transcode', video: picture(false) }, /^Converted to H\.264/],
  ['sound alone', { plan: 'transcode', video: null }, /^Converted to AAC/],
])('%s is called so', (_, probe, what) => {
  expect(planWords({ duration: 1, container: 'x', audio: null, ...probe }).what).toMatch(what);
});
