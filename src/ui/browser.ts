/** What effects need of the browser, on the browser. */
import type { BrowserEffects } from '../app/effects.ts';
import { parsePath } from '../app/router.ts';
import type { Theme } from '../app/state.ts';

/** Where the chosen theme is kept; `public/theme.js` reads it before the first paint. */
const THEME_KEY = 'kadreel-theme';

export interface UiBrowser extends BrowserEffects {
  readonly canShare: boolean;
  path(): string;
  theme(): Theme;
  /** The invitation in the address bar, which is taken out of it: it is good for one time. Null when there is none. */
  takeInvitation(): string | null;
  /** Calls `listener` when the person goes back or forward, or changes what is behind the `#`. Returns how to stop that. */
  onPathChange(listener: (path: string) => void): () => void;
}

export function createBrowser(): UiBrowser {
  return {
    canShare: typeof navigator.share === 'function',
    path: () => location.pathname,
    theme: readTheme,
    pushPath(path) {
      history.pushState(null, '', path);
    },
    keepTheme(theme) {
      try {
        if (theme === 'system') localStorage.removeItem(THEME_KEY);
        else localStorage.setItem(THEME_KEY, theme);
      } catch {
        // No storage (a strict private window): the theme lasts as long as the tab.
      }
    },
    isSeen: () => document.visibilityState === 'visible',
    address: (path) => new URL(path, location.origin).href,
    copy: (text) => navigator.clipboard.writeText(text),
    async share(shared) {
      try {
        await navigator.share({ ...shared });
      } catch (error) {
        if (!isSecondThought(error)) throw error;
      }
    },
    takeInvitation() {
      const code = location.hash.slice(1);
      if (code === '' || parsePath(location.pathname).page !== 'join') return null;
      history.replaceState(history.state, '', location.pathname);
      return code;
    },
    onPathChange(listener) {
      const onPop = (): void => listener(location.pathname);
      addEventListener('popstate', onPop);
      addEventListener('hashchange', onPop);
      return () => {
        removeEventListener('popstate', onPop);
        removeEventListener('hashchange', onPop);
      };
    },
  };
}

/** The person closed the sheet: nothing went wrong. */
function isSecondThought(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

function readTheme(): Theme {
  try {
    const kept = localStorage.getItem(THEME_KEY);
    return kept === 'light' || kept === 'dark' ? kept : 'system';
  } catch {
    return 'system';
  }
}
