/** A text to be passed on to another person: to be read by a camera, copied or shared. */
import { type JSX, lazy, Show } from 'solid-js';
import type { CopiedThing, Shared } from '../app/events.ts';
import { CopyIcon } from './icons.tsx';
import { Later } from './later.tsx';
import type { Dispatch } from './props.ts';
import { ShareButton } from './share-button.tsx';

const QrCode = lazy(() => import('./qr-code.tsx'));

export interface PassOnProps {
  readonly text: string;
  readonly what: CopiedThing;
  /** Accessible names. */
  readonly label: string;
  readonly qrLabel: string;
  readonly shared: Shared;
  readonly canShare: boolean;
  readonly dispatch: Dispatch;
}

export function PassOn(props: PassOnProps): JSX.Element {
  let text!: HTMLTextAreaElement;
  return (
    <div class="pass-on">
      <div class="qr-frame">
        <Later meanwhile={<div class="qr" aria-busy="true" />} otherwise={<div class="qr" />}>
          <QrCode text={props.text} label={props.qrLabel} />
        </Later>
      </div>
      <div class="pass-on-words">
        <textarea
          ref={text}
          class="code-text"
          readonly
          rows="4"
          spellcheck={false}
          aria-label={props.label}
          value={props.text}
          onFocus={() => text.select()}
        />
        <div class="actions">
          <button
            type="button"
            class="button button-accent"
            onClick={() => props.dispatch({ type: 'copy-pressed', text: props.text, what: props.what })}
          >
            <CopyIcon size={16} />
            Copy {props.what}
          </button>
          <Show when={props.canShare}>
            <ShareButton onPress={() => props.dispatch({ type: 'share-pressed', shared: props.shared })} />
          </Show>
        </div>
      </div>
    </div>
  );
}
