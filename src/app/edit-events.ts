/** All that can happen on the page on which a published video is changed. */
import type { SourceFile } from '../base/ports.ts';
import type { CopiesReport, OwnVideo } from './api.ts';
import type { PlanChange } from './publish-plan.ts';
import type { Problem } from './state.ts';

/** What happens to the video whose page of changes is open. */
export type EditEvent =
  /** By the person. */
  | { readonly type: 'retry-pressed' }
  | { readonly type: 'title-typed'; readonly title: string }
  /** A picture, and captions, of the person's own. */
  | { readonly type: 'picture-file-chosen'; readonly file: SourceFile }
  | { readonly type: 'captions-file-chosen'; readonly file: SourceFile }
  /** Also by what was read. */
  | { readonly type: 'plan-changed'; readonly change: PlanChange }
  | { readonly type: 'captions-switched'; readonly language: string; readonly wanted: boolean }
  | { readonly type: 'quality-switched'; readonly rendition: number; readonly offered: boolean }
  | { readonly type: 'save-pressed' }
  | { readonly type: 'remove-confirmed' }
  /** By the world. */
  | { readonly type: 'loaded'; readonly video: OwnVideo }
  | { readonly type: 'failed'; readonly problem: Problem }
  /** It stands on this disk; the video as it is now. */
  | { readonly type: 'kept'; readonly video: OwnVideo }
  | { readonly type: 'progressed'; readonly fraction: number }
  | { readonly type: 'refused'; readonly problem: Problem }
  | { readonly type: 'stored'; readonly title: string; readonly copies: CopiesReport }
  | { readonly type: 'removed' };

/** What a person asks for of an open video, beside what it has. */
export interface EditWish {
  readonly title: string | null;
  readonly withoutCaptions: readonly string[];
  readonly withdrawn: readonly number[];
  readonly offered: readonly number[];
}
