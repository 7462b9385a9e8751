/** Does what the page of a published video asks for, and tells what came of it. */
import type { SourceFile } from '../base/ports.ts';
import type { VideoId } from '../media/manifest.ts';
import type { Kadreel } from './api.ts';
import type { EditEvent, EditWish } from './edit-events.ts';
import type { Event } from './events.ts';
import { addressOf, createPlanEffects, type PlanEffects } from './plan-effects.ts';
import { problemOf } from './problems.ts';
import type { PublishPlan } from './state.ts';

export interface EditEffects {
  /** Reads the video, and then looks for pictures in it. */
  open(videoId: VideoId, signal: AbortSignal): Promise<void>;
  readPicture(videoId: VideoId, picture: { readonly file: SourceFile; readonly aspect: number }, signal: AbortSignal): Promise<void>;
  readCaptions(videoId: VideoId, file: SourceFile, signal: AbortSignal): Promise<void>;
  edit(videoId: VideoId, wanted: { readonly wish: EditWish; readonly plan: PublishPlan }, signal: AbortSignal): Promise<void>;
  remove(videoId: VideoId, signal: AbortSignal): Promise<void>;
}

/** `tell` says nothing when its signal has fired. */
export function createEditEffects(options: { kadreel: Promise<Kadreel>; tell: (signal: AbortSignal, event: Event) => void }): EditEffects {
  const { kadreel } = options;
  /** Texts of captions that were read for a video, until its page is opened anew. */
  let plans: { readonly videoId: VideoId; readonly effects: PlanEffects } | null = null;
  const teller = (videoId: VideoId) => (signal: AbortSignal, event: EditEvent) => options.tell(signal, { type: 'editing', videoId, event });
  const plansOf = (videoId: VideoId): PlanEffects => {
    if (plans?.videoId !== videoId) {
      const tell = teller(videoId);
      const changed: Parameters<typeof createPlanEffects>[0]['changed'] = (signal, change) =>
        tell(signal, { type: 'plan-changed', change });
      plans = { videoId, effects: createPlanEffects({ kadreel, changed }) };
    }
    return plans.effects;
  };

  return {
    async open(videoId, signal) {
      const tell = teller(videoId);
      plans = null;
      try {
        const page = await kadreel;
        tell(signal, { type: 'loaded', video: await page.own(videoId) });
        const pictures = await page.picturesOf(videoId, signal).catch(() => []); // There is the person's own to choose.
        tell(signal, { type: 'plan-changed', change: { type: 'pictures', pictures: pictures.map(addressOf) } });
      } catch (error) {
        tell(signal, { type: 'failed', problem: problemOf(error, 'editing') });
      }
    },
    readPicture: (videoId, { file, aspect }, signal) => plansOf(videoId).readPicture(file, aspect, signal),
    readCaptions: (videoId, file, signal) => plansOf(videoId).readCaptions(file, signal),
    async edit(videoId, { wish, plan }, signal) {
      const tell = teller(videoId);
      try {
        const page = await kadreel;
        const { poster, captions = [] } = await plansOf(videoId).options(plan);
        const { title, ...rest } = wish;
        const { done } = await page.edit(videoId, {
          ...rest,
          captions,
          ...(title !== null && { title }),
          ...(poster && { poster }),
          onProgress: (fraction) => tell(signal, { type: 'progressed', fraction }),
        });
        const video = await page.own(videoId);
        tell(signal, { type: 'kept', video });
        done.then(
          (copies) => tell(signal, { type: 'stored', title: video.title, copies }),
          () => undefined, // It goes on with the next start; a video that was taken off says so itself.
        );
      } catch (error) {
        tell(signal, { type: 'refused', problem: problemOf(error, 'editing') });
      }
    },
    async remove(videoId, signal) {
      const tell = teller(videoId);
      try {
        await (await kadreel).remove(videoId); // Others are told as long as it takes.
        tell(signal, { type: 'removed' });
      } catch (error) {
        tell(signal, { type: 'refused', problem: problemOf(error, 'removing') });
      }
    },
  };
}
