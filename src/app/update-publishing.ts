/** What follows from an event of publishing: a part of `update`. Pure. */
import { assertNever } from '../base/errors.ts';
import type { MediaProbe } from '../base/ports.ts';
import type { PublishProgress } from './api.ts';
import type { Event } from './events.ts';
import { changePlan, EMPTY_PLAN, planProblem } from './publish-plan.ts';
import { pathOf } from './router.ts';
import type { Publishing, State } from './state.ts';
import { type Effect, notify, type Step } from './step.ts';

type PublishingEvent = Extract<
  Event,
  {
    type:
      | 'file-chosen'
      | 'file-removed'
      | 'title-typed'
      | 'picture-file-chosen'
      | 'captions-file-chosen'
      | 'plan-changed'
      | 'publish-pressed'
      | 'publish-retry-pressed'
      | 'cancel-pressed'
      | 'publish-another-pressed'
      | 'probed'
      | 'probe-failed'
      | 'publish-progressed'
      | 'growth-changed'
      | 'qualities-changed'
      | 'shared-work-changed'
      | 'published'
      | 'publish-failed'
      | 'publish-cancelled'
      | 'copies-stored'
      | 'copies-failed';
  }
>;

/** Bytes of UTF-8 that a manifest's title may have. */
const TITLE_BYTES = 200;

/** An event that makes no sense in the present step changes nothing: it is a late one, or a second press. */
export function updatePublishing(state: State, event: PublishingEvent): Step {
  const { publishing } = state;
  switch (event.type) {
    case 'file-chosen': {
      if (publishing.step === 'working') return notify(state, 'info', 'One video at a time: this one is still being published.');
      const { name, size } = event.file;
      const chosen: Publishing = { step: 'chosen', file: { name, size }, title: titleFrom(name), probe: null };
      const away = state.route.page !== 'publish';
      const fresh: State = { ...state, plan: EMPTY_PLAN };
      const step = withStep(
        away ? { ...fresh, route: { page: 'publish' }, watching: { phase: 'idle' }, editing: { step: 'none' } } : fresh,
        chosen,
        {
          type: 'choose-file',
          file: event.file,
        },
      );
      if (!away) return step;
      const leave: Effect[] = [
        ...(state.watching.phase === 'idle' ? [] : [{ type: 'close-video' } as const]),
        ...(state.editing.step === 'none' ? [] : [{ type: 'close-edit' } as const]),
        ...(state.route.page === 'network' ? [{ type: 'leave-network' } as const] : []),
      ];
      return { state: step.state, effects: [{ type: 'push-path', path: pathOf({ page: 'publish' }) }, ...leave, ...step.effects] };
    }
    case 'file-removed':
      return publishing.step === 'chosen' || publishing.step === 'failed'
        ? withStep(state, { step: 'empty' }, { type: 'forget-file' })
        : same(state);
    case 'publish-another-pressed':
      return publishing.step === 'published' ? withStep(state, { step: 'empty' }, { type: 'forget-file' }) : same(state);
    case 'title-typed':
      return publishing.step === 'chosen' || publishing.step === 'failed'
        ? withStep(state, { ...publishing, title: clipTitle(event.title) })
        : same(state);
    case 'picture-file-chosen':
      return publishing.step === 'chosen'
        ? withStep(state, publishing, { type: 'read-picture', file: event.file, aspect: aspectOf(publishing.probe) })
        : same(state);
    case 'captions-file-chosen':
      return publishing.step === 'chosen' ? withStep(state, publishing, { type: 'read-captions', file: event.file }) : same(state);
    case 'plan-changed':
      // What was begun before the press comes too late to be published.
      return publishing.step === 'chosen' || publishing.step === 'failed'
        ? same({ ...state, plan: changePlan(state.plan, event.change) })
        : same(state);
    case 'probed':
      return publishing.step === 'chosen' ? withStep(state, { ...publishing, probe: event.probe }) : same(state);
    case 'probe-failed':
      return publishing.step === 'chosen'
        ? withStep(state, { ...publishing, step: 'failed', probe: null, problem: event.problem })
        : same(state);
    case 'publish-pressed':
    case 'publish-retry-pressed':
      return start(state);
    case 'publish-progressed':
      return publishing.step === 'working' || publishing.step === 'published'
        ? withStep(state, { ...publishing, progress: event.progress })
        : same(state);
    case 'published':
      if (publishing.step !== 'working') return withStep(state, publishing, { type: 'load-feed', feed: 'mine' });
      return withStep(
        state,
        {
          step: 'published',
          title: publishing.title.trim(),
          videoId: event.videoId,
          watchUrl: event.watchUrl,
          progress: publishing.progress,
          growth: null,
          qualities: [],
          sharedWork: null,
          copies: null,
        },
        { type: 'load-feed', feed: 'mine' },
        { type: 'load-feed', feed: 'newest' },
      );
    case 'growth-changed':
      return publishing.step === 'published' ? withStep(state, { ...publishing, growth: event.growth }) : same(state);
    case 'qualities-changed':
      return publishing.step === 'published' ? withStep(state, { ...publishing, qualities: event.qualities }) : same(state);
    case 'shared-work-changed':
      return publishing.step === 'published' ? withStep(state, { ...publishing, sharedWork: event.work }) : same(state);
    case 'publish-failed':
      return publishing.step === 'working'
        ? withStep(state, {
            step: 'failed',
            file: publishing.file,
            title: publishing.title,
            probe: publishing.probe,
            problem: event.problem,
          })
        : same(state);
    case 'cancel-pressed':
      return publishing.step === 'working'
        ? withStep(
            state,
            { step: 'chosen', file: publishing.file, title: publishing.title, probe: publishing.probe },
            { type: 'cancel-publish' },
          )
        : same(state);
    case 'publish-cancelled': {
      const step = event.published
        ? notify(state, 'info', 'It was too late to cancel: the video is published.')
        : notify(state, 'info', 'Cancelled. Nothing was published; your file and title are still here.');
      return { state: step.state, effects: [...step.effects, { type: 'load-feed', feed: 'mine' }] };
    }
    case 'copies-stored':
      return publishing.step === 'published' && publishing.videoId === event.videoId
        ? withStep(state, { ...publishing, copies: event.copies })
        : same(state);
    case 'copies-failed':
      // Its card says that the rest could not be made; that is no word about copies.
      if (publishing.step === 'published' && publishing.growth?.problem) return same(state);
      return publishing.step === 'published' && publishing.videoId === event.videoId
        ? notify(
            { ...state, publishing: { ...publishing, copies: { stored: 0, wanted: 0 } } },
            'bad',
            'Copies could not be stored with other tabs. The video plays as long as this tab is open.',
          )
        : same(state);
    default:
      return assertNever(event);
  }
}

const BEGIN: PublishProgress = { stage: 'read', fraction: 0, secondsLeft: null };

function start(state: State): Step {
  const { publishing } = state;
  if (publishing.step !== 'chosen' && publishing.step !== 'failed') return same(state);
  const { file, probe } = publishing;
  if (probe === null) {
    // Looking at the file is what failed: that is tried again, and the person presses Publish afterwards.
    return publishing.step === 'failed'
      ? withStep(state, { step: 'chosen', file, title: publishing.title, probe: null }, { type: 'probe-again' })
      : same(state);
  }
  const problem = planProblem(state.plan);
  if (problem) return notify(state, 'bad', problem);
  const title = publishing.title.trim() === '' ? titleFrom(file.name) : publishing.title;
  return withStep(
    state,
    { step: 'working', file, title, probe, progress: BEGIN },
    { type: 'publish', title: title.trim(), plan: state.plan },
  );
}

/** Width over height of the picture; what a card shows where there is none. */
function aspectOf(probe: MediaProbe | null): number {
  return probe?.video ? probe.video.width / probe.video.height : CARD_ASPECT;
}

const CARD_ASPECT = 16 / 9;

/** A title to start from: the file's name without its ending, underscores as spaces. */
export function titleFrom(name: string): string {
  const plain = name
    .replace(/\.[a-z0-9]{1,5}$/i, '')
    .replaceAll('_', ' ')
    .trim();
  return clipTitle(plain === '' ? 'Untitled' : plain);
}

/** The longest beginning that fits in a manifest. */
export function clipTitle(title: string): string {
  let bytes = 0;
  let clipped = '';
  for (const character of title) {
    bytes += new TextEncoder().encode(character).length;
    if (bytes > TITLE_BYTES) break;
    clipped += character;
  }
  return clipped;
}

function withStep(state: State, publishing: Publishing, ...effects: readonly Effect[]): Step {
  return { state: { ...state, publishing }, effects };
}

function same(state: State): Step {
  return { state, effects: [] };
}
