/** Hands something to the system's own sheet for sharing. */
import type { JSX } from 'solid-js';
import { ShareIcon } from './icons.tsx';

export function ShareButton(props: { readonly onPress: () => void }): JSX.Element {
  return (
    <button type="button" class="button button-plain" onClick={() => props.onPress()}>
      <ShareIcon size={16} />
      Share
    </button>
  );
}
