/** An address that names no page. */
import type { JSX } from 'solid-js';
import { Leader } from './leader.tsx';

export function MissingPage(): JSX.Element {
  return (
    <div class="page missing">
      <Leader figure="?" turn={0.62} />
      <h1 tabindex="-1">No such page</h1>
      <p class="lead">The reel has no frame at this address. A watch link ends in 40 letters and digits; check that none was lost.</p>
      <a class="button button-accent" href="/">
        Go home
      </a>
    </div>
  );
}
