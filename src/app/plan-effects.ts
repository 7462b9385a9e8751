/** What is found out and read for a publication before it begins. */
import type { Bytes } from '../base/bytes.ts';
import type { MediaProbe, SourceFile, StillPicture } from '../base/ports.ts';
import type { Cue } from '../media/subtitles.ts';
import type { Kadreel, PublishOptions } from './api.ts';
import { problemOf } from './problems.ts';
import { chosenPicture, type PlanChange } from './publish-plan.ts';
import type { PublishPlan } from './state.ts';

export interface PlanEffects {
  /** What it takes, and pictures that could stand for it. */
  plan(file: SourceFile, probe: MediaProbe, signal: AbortSignal): Promise<void>;
  readPicture(file: SourceFile, aspect: number, signal: AbortSignal): Promise<void>;
  readCaptions(file: SourceFile, signal: AbortSignal): Promise<void>;
  /** The texts of captions that were read. They are of a video that is not to be published any more, or is by now. */
  forget(): void;
  /** The plan as it goes into a publication. */
  options(plan: PublishPlan): Promise<Pick<PublishOptions, 'without' | 'poster' | 'captions'>>;
}

/** Problems of one file that are told: who has more looks into it. */
const MAX_TOLD = 3;

/** `changed` says nothing when its signal has fired. */
export function createPlanEffects(options: {
  kadreel: Promise<Kadreel>;
  changed: (signal: AbortSignal, change: PlanChange) => void;
}): PlanEffects {
  const { kadreel, changed: change } = options;
  /** Texts by the number that the page knows them by: thousands, which nobody looks at there. */
  const texts = new Map<number, readonly Cue[]>();
  let read = 0;
  const trouble = (signal: AbortSignal, error: unknown): void =>
    change(signal, { type: 'problem', problem: problemOf(error, 'preparing') });

  return {
    async plan(file, probe, signal) {
      try {
        const page = await kadreel;
        change(signal, { type: 'preflight', preflight: await page.preflight(file, probe) });
        const pictures = probe.video ? await page.pictures(file, signal) : [];
        change(signal, { type: 'pictures', pictures: pictures.map(addressOf) });
      } catch (error) {
        trouble(signal, error);
      }
    },
    async readPicture(file, aspect, signal) {
      try {
        change(signal, { type: 'own-picture', picture: addressOf(await (await kadreel).still(file, aspect)) });
      } catch (error) {
        trouble(signal, error);
      }
    },
    async readCaptions(file, signal) {
      try {
        const { readCaptionFile } = await import('./caption-files.ts');
        const { cues, problems, ...facts } = await readCaptionFile(file);
        const id = ++read;
        texts.set(id, cues);
        const captions = { ...facts, id, texts: cues.length, leftOut: problems.length, problems: problems.slice(0, MAX_TOLD) };
        change(signal, { type: 'captions', captions });
      } catch (error) {
        trouble(signal, error);
      }
    },
    forget: () => texts.clear(),
    async options(plan) {
      const picture = chosenPicture(plan);
      const { languageName } = plan.captions.length > 0 ? await import('./caption-files.ts') : NO_LANGUAGES;
      return {
        without: plan.without,
        ...(picture !== null && { poster: bytesOfAddress(picture) }),
        captions: plan.captions
          .map(({ id, language }) => ({ language, name: languageName(language) ?? language, cues: texts.get(id) ?? [] }))
          .sort((a, b) => a.name.localeCompare(b.name)),
      };
    },
  };
}

/** Without captions nothing is loaded to name their languages. */
const NO_LANGUAGES = { languageName: () => null };

/** The page's state is plain text and numbers. */
export function addressOf({ bytes, mime }: StillPicture): string {
  return `data:${mime};base64,${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}

function bytesOfAddress(address: string): Bytes {
  return Uint8Array.from(atob(address.slice(address.indexOf(',') + 1)), (letter) => letter.charCodeAt(0));
}
