/** What is said of the way that a file takes. */
import type { MediaProbe } from '../base/ports.ts';

/** What will be done with the file, and why. How long it takes stands beside each quality. */
export function planWords({ plan, video }: MediaProbe): { readonly what: string; readonly why: string } {
  if (plan === 'copy')
    return { what: 'Copied as it is', why: 'Browsers play these codecs, so nothing is re-encoded: it goes as fast as your disk.' };
  if (!video)
    return { what: 'Converted to AAC in this tab', why: 'Browsers can’t play this sound as it is. The tab must stay open meanwhile.' };
  if (video.copied)
    return {
      what: 'Copied, its sound converted to AAC in this tab',
      why: 'Browsers play the picture as it is, but not the sound. The tab must stay open meanwhile.',
    };
  return {
    what: 'Converted to H.264 in this tab',
    why: 'Browsers can’t play its picture as it is, or can’t begin in the middle of it. The tab must stay open meanwhile.',
  };
}
