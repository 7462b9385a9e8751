import { describe, expect, it } from 'vitest';
import { changePlan, chosenPicture, EMPTY_PLAN, planProblem } from '../../../src/app/publish-plan.ts';
import type { CaptionFacts, State } from '../../../src/app/state.ts';
import { FILE, follow, PROBE, PROBLEM, stateAt } from './states.ts';

const ENGLISH: CaptionFacts = { id: 1, fileName: 'a.en.srt', language: 'en', texts: 3, encoding: 'utf-8', leftOut: 0, problems: [] };
const chosen = (): State => follow(stateAt('/publish'), { type: 'file-chosen', file: FILE }, { type: 'probed', probe: PROBE }).state;

describe('the plan', () => {
  it('a quality that is unticked is left out, until it is ticked again', () => {
    const without = changePlan(EMPTY_PLAN, { type: 'quality', name: '480p', wanted: false });
    expect(without.without).toEqual(['480p']);
    expect(changePlan(without, { type: 'quality', name: '480p', wanted: false }).without).toEqual(['480p']);
    expect(changePlan(without, { type: 'quality', name: '480p', wanted: true }).without).toEqual([]);
  });

  it('the first proposed picture stands until another is chosen; one’s own is taken at once', () => {
    const proposed = changePlan(EMPTY_PLAN, { type: 'pictures', pictures: ['data:1', 'data:2'] });
    expect(chosenPicture(EMPTY_PLAN)).toBeNull();
    expect(chosenPicture(proposed)).toBe('data:1');
    expect(chosenPicture(changePlan(proposed, { type: 'picture', picture: 1 }))).toBe('data:2');
    expect(changePlan(proposed, { type: 'picture', picture: 2 })).toBe(proposed);
    expect(changePlan(proposed, { type: 'picture', picture: 'own' })).toBe(proposed);
    expect(chosenPicture(changePlan(proposed, { type: 'own-picture', picture: 'data:own' }))).toBe('data:own');
    // It was chosen before the others were there.
    const own = changePlan(EMPTY_PLAN, { type: 'own-picture', picture: 'data:own' });
    expect(chosenPicture(changePlan(own, { type: 'pictures', pictures: ['data:1'] }))).toBe('data:own');
    expect(chosenPicture(changePlan(EMPTY_PLAN, { type: 'pictures', pictures: [] }))).toBeNull();
  });

  it('captions: a corrected file, or one in the same language, takes the place of the other', () => {
    const one = changePlan(EMPTY_PLAN, { type: 'captions', captions: ENGLISH });
    const again = changePlan(one, { type: 'captions', captions: { ...ENGLISH, id: 2, fileName: 'b.en.srt' } });
    expect(again.captions.map(({ id }) => id)).toEqual([2]);
    const unknown = { ...ENGLISH, id: 3, fileName: 'c.srt', language: 'und' };
    const two = changePlan(changePlan(again, { type: 'captions', captions: unknown }), {
      type: 'captions',
      captions: { ...unknown, id: 4, fileName: 'd.srt' },
    });
    expect(two.captions.map(({ id }) => id)).toEqual([2, 3, 4]);
    expect(planProblem(two)).toMatch(/which language/);
    const english = changePlan(two, { type: 'language', index: 1, language: 'en' });
    expect(planProblem(changePlan(english, { type: 'captions-removed', index: 2 }))).toMatch(/one language/);
    expect(planProblem(one)).toBeNull();
  });

  it('a file that can’t be used says why, until one can', () => {
    const refused = changePlan(EMPTY_PLAN, { type: 'problem', problem: PROBLEM });
    expect(refused.problem).toBe(PROBLEM);
    expect(changePlan(refused, { type: 'captions', captions: ENGLISH }).problem).toBeNull();
  });
});

describe('the plan of the page', () => {
  it('begins anew with another file, and is published with the title', () => {
    const planned = follow(chosen(), { type: 'plan-changed', change: { type: 'captions', captions: ENGLISH } });
    expect(follow(planned.state, { type: 'publish-pressed' }).effects).toMatchObject([{ type: 'publish', plan: { captions: [ENGLISH] } }]);
    expect(follow(planned.state, { type: 'file-chosen', file: FILE }).state.plan).toBe(EMPTY_PLAN);
  });

  it('is not published while it is not whole', () => {
    const unknown = { ...ENGLISH, language: 'und' };
    const { state, effects } = follow(
      chosen(),
      { type: 'plan-changed', change: { type: 'captions', captions: unknown } },
      { type: 'publish-pressed' },
    );
    expect(state.publishing.step).toBe('chosen');
    expect(effects.filter(({ type }) => type === 'publish')).toEqual([]);
    expect(state.notices.at(-1)?.text).toMatch(/which language/);
  });

  it('stays through a failure, and what is read too late for it changes nothing', () => {
    const working = follow(
      chosen(),
      { type: 'plan-changed', change: { type: 'captions', captions: ENGLISH } },
      { type: 'publish-pressed' },
    ).state;
    const late = follow(working, { type: 'plan-changed', change: { type: 'pictures', pictures: ['data:1'] } }).state;
    expect(late.plan.pictures).toBeNull();
    expect(follow(late, { type: 'publish-failed', problem: PROBLEM }).state.plan.captions).toEqual([ENGLISH]);
  });

  it('a picture is cut to the shape of the video', () => {
    expect(follow(chosen(), { type: 'picture-file-chosen', file: FILE }).effects).toEqual([
      { type: 'read-picture', file: FILE, aspect: 640 / 360 },
    ]);
    expect(follow(chosen(), { type: 'captions-file-chosen', file: FILE }).effects).toEqual([{ type: 'read-captions', file: FILE }]);
    expect(follow(stateAt('/publish'), { type: 'captions-file-chosen', file: FILE }).effects).toEqual([]);
  });
});
