/** What a person wants of a publication besides its title: which qualities, which picture, which captions. Pure. */
import { assertNever } from '../base/errors.ts';
import type { Preflight } from './preflight.ts';
import type { CaptionFacts, Problem, PublishPlan } from './state.ts';

/** Nothing is known, and nothing in particular is wanted. */
export const EMPTY_PLAN: PublishPlan = {
  preflight: null,
  without: [],
  pictures: null,
  own: null,
  picture: null,
  captions: [],
  problem: null,
};

export type PlanChange =
  | { readonly type: 'preflight'; readonly preflight: Preflight }
  | { readonly type: 'pictures'; readonly pictures: readonly string[] }
  | { readonly type: 'own-picture'; readonly picture: string }
  | { readonly type: 'problem'; readonly problem: Problem }
  | { readonly type: 'captions'; readonly captions: CaptionFacts }
  /** By the person. */
  | { readonly type: 'quality'; readonly name: string; readonly wanted: boolean }
  | { readonly type: 'picture'; readonly picture: number | 'own' | null }
  | { readonly type: 'language'; readonly index: number; readonly language: string }
  | { readonly type: 'captions-removed'; readonly index: number };

/** What does not fit the plan as it is changes nothing. */
export function changePlan(plan: PublishPlan, change: PlanChange): PublishPlan {
  switch (change.type) {
    case 'preflight':
      return { ...plan, preflight: change.preflight };
    case 'pictures':
      return { ...plan, pictures: change.pictures, picture: plan.picture ?? (change.pictures.length > 0 ? 0 : null) };
    case 'own-picture':
      return { ...plan, own: change.picture, picture: 'own', problem: null };
    case 'problem':
      return { ...plan, problem: change.problem };
    case 'captions':
      return { ...plan, captions: withCaptions(plan.captions, change.captions), problem: null };
    case 'quality': {
      const others = plan.without.filter((name) => name !== change.name);
      return { ...plan, without: change.wanted ? others : [...others, change.name] };
    }
    case 'picture': {
      const { picture } = change;
      const isThere = picture === null || (picture === 'own' ? plan.own !== null : picture in (plan.pictures ?? []));
      return isThere ? { ...plan, picture } : plan;
    }
    case 'language':
      return {
        ...plan,
        captions: plan.captions.map((one, index) => (index === change.index ? { ...one, language: change.language } : one)),
      };
    case 'captions-removed':
      return { ...plan, captions: plan.captions.filter((_, index) => index !== change.index) };
    default:
      return assertNever(change);
  }
}

/** A file of the same name, or in the same language, takes the place of the one that was there. */
function withCaptions(before: readonly CaptionFacts[], added: CaptionFacts): readonly CaptionFacts[] {
  const isSame = (one: CaptionFacts): boolean =>
    one.fileName === added.fileName || (one.language !== 'und' && one.language === added.language);
  return before.some(isSame) ? before.map((one) => (isSame(one) ? added : one)) : [...before, added];
}

/** The address of the picture that was chosen. */
export function chosenPicture({ picture, own, pictures }: PublishPlan): string | null {
  if (picture === 'own') return own;
  return picture === null ? null : (pictures?.[picture] ?? null);
}

/** Why it can't be published as it is, as a sentence; null when it can. */
export function planProblem({ captions }: PublishPlan): string | null {
  const languages = captions.map(({ language }) => language);
  if (languages.includes('und')) return 'Say which language each of the captions is in.';
  return new Set(languages).size < languages.length ? 'Two of the captions are in one language: remove one of them.' : null;
}
