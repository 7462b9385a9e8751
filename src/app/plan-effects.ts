/** What is found out and read for a publication before it begins. */
import type { MediaProbe, SourceFile } from '../base/ports.ts';
import type { Kadreel, PublishOptions } from './api.ts';
import { languageName } from './caption-files.ts';
import type { Event } from './events.ts';
import { problemOf } from './problems.ts';
import { chosenPicture, type PlanChange } from './publish-plan.ts';
import type { PublishPlan } from './state.ts';

export interface PlanEffects {
  /** What it takes, and pictures that could stand for it. */
  plan(file: SourceFile, probe: MediaProbe, signal: AbortSignal): Promise<void>;
  readPicture(file: SourceFile, aspect: number, signal: AbortSignal): Promise<void>;
  readCaptions(file: SourceFile, signal: AbortSignal): Promise<void>;
}

/** `tell` says nothing when its signal has fired. */
export function createPlanEffects(options: { kadreel: Promise<Kadreel>; tell: (signal: AbortSignal, event: Event) => void }): PlanEffects {
  const { kadreel } = options;
  const change = (signal: AbortSignal, to: PlanChange): void => options.tell(signal, { type: 'plan-changed', change: to });
  const trouble = (signal: AbortSignal, error: unknown): void =>
    change(signal, { type: 'problem', problem: problemOf(error, 'preparing') });

  return {
    async plan(file, probe, signal) {
      try {
        const page = await kadreel;
        change(signal, { type: 'preflight', preflight: await page.preflight(file, probe) });
        const pictures = probe.video ? await page.pictures(file, signal) : [];
        change(signal, { type: 'pictures', pictures });
      } catch (error) {
        trouble(signal, error);
      }
    },
    async readPicture(file, aspect, signal) {
      try {
        change(signal, { type: 'own-picture', picture: await (await kadreel).still(file, aspect) });
      } catch (error) {
        trouble(signal, error);
      }
    },
    async readCaptions(file, signal) {
      try {
        const { readCaptionFile } = await import('./caption-files.ts');
        change(signal, { type: 'captions', captions: await readCaptionFile(file) });
      } catch (error) {
        trouble(signal, error);
      }
    },
  };
}

/** The plan as it goes into a publication. */
export function optionsOf(plan: PublishPlan): Pick<PublishOptions, 'without' | 'poster' | 'captions'> {
  const picture = chosenPicture(plan);
  return {
    without: plan.without,
    ...(picture && { poster: picture.bytes }),
    captions: plan.captions.map(({ language, cues }) => ({ language, name: languageName(language) ?? language, cues })),
  };
}
