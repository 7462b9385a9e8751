/** Does what the page of a published video asks for, and tells what came of it. */
import { assertNever } from '../base/errors.ts';
import type { VideoId } from '../media/manifest.ts';
import type { Kadreel } from './api.ts';
import type { EditEvent } from './edit-events.ts';
import type { Event } from './events.ts';
import { addressOf, createPlanEffects, type PlanEffects } from './plan-effects.ts';
import { problemOf } from './problems.ts';
import type { Effect } from './step.ts';

/** What the page of a published video asks for. */
export type EditEffect = Extract<
  Effect,
  { readonly type: 'open-edit' | 'close-edit' | 'read-edit-picture' | 'read-edit-captions' | 'edit' | 'remove' }
>;

export interface EditEffects {
  run(effect: EditEffect): void;
}

export interface EditEffectsOptions {
  readonly kadreel: Promise<Kadreel>;
  /** Says nothing when its signal has fired. */
  readonly tell: (signal: AbortSignal, event: Event) => void;
  /** Fires when the page goes. */
  readonly whole: AbortSignal;
}

export function createEditEffects({ kadreel, tell: tellAll, whole }: EditEffectsOptions): EditEffects {
  /** Texts of captions that were read for a video, until its page is opened anew. */
  let plans: { readonly videoId: VideoId; readonly effects: PlanEffects } | null = null;
  const teller = (videoId: VideoId) => (signal: AbortSignal, event: EditEvent) => tellAll(signal, { type: 'editing', videoId, event });
  const plansOf = (videoId: VideoId): PlanEffects => {
    if (plans?.videoId !== videoId) {
      const tell = teller(videoId);
      const changed: Parameters<typeof createPlanEffects>[0]['changed'] = (signal, change) =>
        tell(signal, { type: 'plan-changed', change });
      plans = { videoId, effects: createPlanEffects({ kadreel, changed }) };
    }
    return plans.effects;
  };

  /** Reads the video, and then looks for pictures in it. */
  const open = async (videoId: VideoId, signal: AbortSignal): Promise<void> => {
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
  };
  /** The save of each video that the page shows now. */
  const shown = new Map<VideoId, object>();
  const edit = async ({ videoId, wish, plan }: Extract<EditEffect, { type: 'edit' }>): Promise<void> => {
    const tell = teller(videoId);
    const save = {};
    /** What is safe of an earlier save says nothing of a later one. */
    const tellOfIt = (event: EditEvent): void => {
      if (shown.get(videoId) === save) tell(whole, event);
    };
    try {
      const page = await kadreel;
      const { poster, captions = [] } = await plansOf(videoId).options(plan);
      const { title, ...rest } = wish;
      const { done } = await page.edit(videoId, {
        ...rest,
        captions,
        ...(title !== null && { title }),
        ...(poster && { poster }),
        onProgress: (fraction) => tellOfIt({ type: 'progressed', fraction }),
      });
      const video = await page.own(videoId);
      shown.set(videoId, save);
      tell(whole, { type: 'kept', video });
      done.then(
        (copies) => tellOfIt({ type: 'stored', title: video.title, copies }),
        () => undefined, // It goes on with the next start; a video that was taken off says so itself.
      );
    } catch (error) {
      tell(whole, { type: 'refused', problem: problemOf(error, 'editing') });
    }
  };
  const remove = async (videoId: VideoId): Promise<void> => {
    const tell = teller(videoId);
    try {
      await (await kadreel).remove(videoId); // Others are told as long as it takes.
      tell(whole, { type: 'removed' });
    } catch (error) {
      tell(whole, { type: 'refused', problem: problemOf(error, 'removing') });
    }
  };

  /** Of the page that is open, and of the picture that was chosen last for it. */
  let [opened, picture] = [new AbortController(), new AbortController()];
  const stop = (): void => {
    opened.abort();
    picture.abort();
  };
  whole.addEventListener('abort', stop, { once: true });

  return {
    run(effect) {
      switch (effect.type) {
        case 'open-edit':
          stop();
          opened = new AbortController();
          void open(effect.videoId, opened.signal);
          return;
        case 'close-edit':
          return stop();
        case 'read-edit-picture':
          picture.abort();
          picture = new AbortController();
          void plansOf(effect.videoId).readPicture(effect.file, effect.aspect, picture.signal);
          return;
        case 'read-edit-captions':
          void plansOf(effect.videoId).readCaptions(effect.file, opened.signal);
          return;
        case 'edit':
          void edit(effect);
          return;
        case 'remove':
          void remove(effect.videoId);
          return;
        default:
          assertNever(effect);
      }
    },
  };
}
