/** What the keys do to the player. Pure. */

export type PlayerAction =
  | { readonly type: 'toggle' }
  /** Seconds, forwards or back. */
  | { readonly type: 'skip'; readonly by: number }
  /** 0 to 1 of the whole. */
  | { readonly type: 'jump'; readonly to: number }
  /** Added to a volume of 0 to 1. */
  | { readonly type: 'louder'; readonly by: number }
  | { readonly type: 'mute' }
  | { readonly type: 'captions' }
  | { readonly type: 'fullscreen' };

/** `key` as in `KeyboardEvent.key`; null for keys that are somebody else's. */
export function playerAction(key: string): PlayerAction | null {
  if (/^[0-9]$/.test(key)) return { type: 'jump', to: Number(key) / 10 };
  switch (key) {
    case ' ':
    case 'k':
    case 'K':
      return { type: 'toggle' };
    case 'ArrowLeft':
      return { type: 'skip', by: -5 };
    case 'ArrowRight':
      return { type: 'skip', by: 5 };
    case 'j':
    case 'J':
      return { type: 'skip', by: -10 };
    case 'l':
    case 'L':
      return { type: 'skip', by: 10 };
    case 'ArrowUp':
      return { type: 'louder', by: 0.1 };
    case 'ArrowDown':
      return { type: 'louder', by: -0.1 };
    case 'm':
    case 'M':
      return { type: 'mute' };
    case 'c':
    case 'C':
      return { type: 'captions' };
    case 'f':
    case 'F':
      return { type: 'fullscreen' };
    default:
      return null;
  }
}
