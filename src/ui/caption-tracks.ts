/** Captions that a video offers, and whether the person wants to read. */

export interface CaptionTrack {
  /** As the player counts them. */
  readonly index: number;
  /** As people call the language. */
  readonly name: string;
  /** BCP 47. */
  readonly language: string;
}

/** What was chosen last. */
export interface CaptionWish {
  readonly shown: boolean;
  /** BCP 47; null when none was ever chosen. */
  readonly language: string | null;
}

/** Remembered from one video to the next, for the life of the tab. */
let kept: CaptionWish = { shown: false, language: null };

/** What the person chose last. */
export function keptCaptionLanguage(): CaptionWish {
  return kept;
}

/** To be called when the person chooses. */
export function keepCaptionLanguage(wish: CaptionWish): void {
  kept = wish;
}
