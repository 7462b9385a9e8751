/** The bar on top: home, the node's health, the theme, and the way to publish. */
import { type JSX, Show } from 'solid-js';
import { pathOf } from '../app/router.ts';
import { Health } from './health.tsx';
import { InviteIcon, NetworkIcon } from './icons.tsx';
import { Mark, Wordmark } from './logo.tsx';
import type { UiProps } from './props.ts';
import { ThemeSwitch } from './theme-switch.tsx';

export function Header(props: UiProps): JSX.Element {
  const percentElsewhere = (): number | null => {
    const { publishing, route } = props.state;
    return publishing.step === 'working' && route.page !== 'publish' ? Math.floor(100 * publishing.progress.fraction) : null;
  };
  return (
    <header class="bar">
      <a class="home-link" href="/" aria-label="Kadreel, home">
        <Mark />
        <Wordmark />
      </a>
      <div class="bar-right">
        <Show when={percentElsewhere() !== null}>
          <a class="under-way" href="/publish">
            <span class="under-way-dial" aria-hidden="true" style={{ '--turn': `${percentElsewhere() ?? 0}%` }} />
            {percentElsewhere()} %<span class="hidden"> done, show the upload</span>
          </a>
        </Show>
        <Health health={props.state.health} />
        <a
          class="icon-button bar-network"
          href={pathOf({ page: 'network' })}
          aria-label="Network"
          title="Network"
          aria-current={props.state.route.page === 'network' ? 'page' : undefined}
        >
          <NetworkIcon size={20} />
        </a>
        <a
          class="icon-button"
          href="/invite"
          aria-label="Invite somebody"
          title="Invite somebody"
          aria-current={props.state.route.page === 'invite' ? 'page' : undefined}
        >
          <InviteIcon size={18} />
        </a>
        <ThemeSwitch theme={props.state.theme} dispatch={props.dispatch} />
        <a class="button button-ink" href="/publish" aria-current={props.state.route.page === 'publish' ? 'page' : undefined}>
          Publish
        </a>
      </div>
    </header>
  );
}
