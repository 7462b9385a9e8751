/** What follows from an event of changing a published video: a part of `update`. Pure. */
import { assertNever } from '../base/errors.ts';
import type { VideoId } from '../media/manifest.ts';
import type { OwnVideo } from './api.ts';
import type { EditEvent, EditWish } from './edit-events.ts';
import { changePlan, EMPTY_PLAN, planProblem } from './publish-plan.ts';
import type { EditedVideo, Editing, State } from './state.ts';
import { type Effect, notify, type Step } from './step.ts';
import { clipTitle } from './update-publishing.ts';

/** The page of changes of this video, as it opens. */
export function openEditing(videoId: VideoId): { readonly editing: Editing; readonly effects: readonly Effect[] } {
  return { editing: { step: 'loading', videoId }, effects: [{ type: 'open-edit', videoId }] };
}

/** What would change. */
export function wishOf({ video, title, without, withdrawn }: EditedVideo): EditWish {
  const before = video.qualities.filter(({ offered }) => !offered).map(({ rendition }) => rendition);
  return {
    title: title.trim() === video.title || title.trim() === '' ? null : title.trim(),
    withoutCaptions: without,
    withdrawn: withdrawn.filter((rendition) => !before.includes(rendition)),
    offered: before.filter((rendition) => !withdrawn.includes(rendition)),
  };
}

/** Whether there is anything to save. */
export function isChanged(edited: EditedVideo): boolean {
  const { title, withoutCaptions, withdrawn, offered } = wishOf(edited);
  const { captions, picture } = edited.plan;
  return title !== null || withoutCaptions.length + withdrawn.length + offered.length + captions.length > 0 || picture !== null;
}

/** An event that is late changes nothing. */
export function updateEditing(state: State, { videoId, event }: { readonly videoId: VideoId; readonly event: EditEvent }): Step {
  const { editing } = state;
  const same: Step = { state, effects: [] };
  const isShown = editing.step !== 'none' && editing.videoId === videoId;
  const edited = isShown && editing.step === 'open' ? editing : null;
  const change = (to: Partial<EditedVideo>, ...effects: readonly Effect[]): Step =>
    edited ? { state: { ...state, editing: { ...edited, ...to } }, effects } : same;
  switch (event.type) {
    case 'retry-pressed':
      return isShown && editing.step === 'failed' ? shown(state, openEditing(videoId)) : same;
    case 'loaded':
      return isShown && editing.step === 'loading' ? shown(state, { editing: freshly(event.video), effects: [] }) : same;
    case 'failed':
      return isShown && editing.step === 'loading'
        ? shown(state, { editing: { step: 'failed', videoId, problem: event.problem }, effects: [] })
        : same;
    case 'title-typed':
      return change({ title: clipTitle(event.title) });
    case 'picture-file-chosen': {
      const { width = 0, height = 0 } = edited?.video ?? {};
      return change({}, { type: 'read-edit-picture', videoId, file: event.file, aspect: height > 0 ? width / height : 16 / 9 });
    }
    case 'captions-file-chosen':
      return change({}, { type: 'read-edit-captions', videoId, file: event.file });
    case 'plan-changed': {
      if (!edited) return same;
      const plan = changePlan(edited.plan, event.change);
      // The picture that there is stays until the person chooses another one.
      return change({ plan: event.change.type === 'pictures' ? { ...plan, picture: edited.plan.picture } : plan });
    }
    case 'captions-switched': {
      const others = (edited?.without ?? []).filter((language) => language !== event.language);
      return change({ without: event.wanted ? others : [...others, event.language] });
    }
    case 'quality-switched': {
      const others = (edited?.withdrawn ?? []).filter((rendition) => rendition !== event.rendition);
      return change({ withdrawn: event.offered ? others : [...others, event.rendition] });
    }
    case 'save-pressed': {
      if (!edited || edited.saving || !isChanged(edited)) return same;
      const problem = planProblem(edited.plan);
      if (problem) return notify(state, 'bad', problem);
      return change({ saving: true, problem: null }, { type: 'edit', videoId, wish: wishOf(edited), plan: edited.plan });
    }
    case 'kept': {
      const step = edited
        ? change({ ...freshly(event.video), plan: { ...EMPTY_PLAN, pictures: edited.plan.pictures }, sent: { fraction: 0, copies: null } })
        : same;
      return { state: step.state, effects: [...step.effects, { type: 'load-feed', feed: 'mine' }] };
    }
    case 'progressed':
      return edited?.sent ? change({ sent: { ...edited.sent, fraction: event.fraction } }) : same;
    case 'refused':
      return edited
        ? change({ saving: false, problem: event.problem })
        : notify(state, 'bad', `${event.problem.what} ${event.problem.why ?? ''}`);
    case 'stored':
      if (edited?.sent) return change({ sent: { fraction: 1, copies: event.copies } });
      return notify(state, 'good', `What you changed of “${event.title}” is safe with others.`);
    case 'remove-confirmed':
      return edited && !edited.saving ? change({ saving: true, problem: null }, { type: 'remove', videoId }) : same;
    case 'removed': {
      const isOther = (card: { readonly videoId: VideoId }): boolean => card.videoId !== videoId;
      const newest = { ...state.newest, videos: state.newest.videos.filter(isOther) };
      const mine = { ...state.mine, videos: state.mine.videos.filter(isOther) };
      const { publishing } = state;
      // It may have been published a moment ago: there is nothing to tell of it any more.
      const isPublished = publishing.step === 'published' && publishing.videoId === videoId;
      const after: State = { ...state, newest, mine, publishing: isPublished ? { step: 'empty' } : publishing };
      const effects: readonly Effect[] = [...(isPublished ? [{ type: 'forget-file' } as const] : []), { type: 'load-feed', feed: 'mine' }];
      return { state: isShown ? { ...after, editing: { step: 'removed', videoId } } : after, effects };
    }
    default:
      return assertNever(event);
  }
}

function shown(state: State, { editing, effects }: { readonly editing: Editing; readonly effects: readonly Effect[] }): Step {
  return { state: { ...state, editing }, effects };
}

function freshly(video: OwnVideo): EditedVideo {
  return {
    step: 'open',
    videoId: video.videoId,
    video,
    title: video.title,
    plan: EMPTY_PLAN,
    without: [],
    withdrawn: video.qualities.filter(({ offered }) => !offered).map(({ rendition }) => rendition),
    saving: false,
    problem: null,
    sent: null,
  };
}
