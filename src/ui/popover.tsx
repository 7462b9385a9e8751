/** A button and the panel that it opens. Escape, a click elsewhere, leaving by Tab or following a link in it closes it. */
import { createEffect, createSignal, createUniqueId, type JSX, onCleanup, onMount, Show } from 'solid-js';

export interface PopoverProps {
  /** Accessible name of the button. */
  readonly label: string;
  /** What the button shows. */
  readonly face: JSX.Element;
  readonly class?: string;
  readonly buttonClass?: string;
  readonly children: JSX.Element;
  /** Told when it opens and closes. */
  readonly onToggle?: (open: boolean) => void;
}

export function Popover(props: PopoverProps): JSX.Element {
  const [open, setOpen] = createSignal(false);
  const id = createUniqueId();
  let whole!: HTMLDivElement;
  let button!: HTMLButtonElement;

  createEffect(() => {
    props.onToggle?.(open());
    if (!open()) return;
    const onDown = (event: PointerEvent): void => {
      if (event.target instanceof Node && !whole.contains(event.target)) setOpen(false);
    };
    document.addEventListener('pointerdown', onDown, true);
    onCleanup(() => document.removeEventListener('pointerdown', onDown, true));
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || !open()) return;
    event.stopPropagation();
    setOpen(false);
    button.focus();
  };
  const onFocusOut = (event: FocusEvent): void => {
    if (event.relatedTarget instanceof Node && !whole.contains(event.relatedTarget)) setOpen(false);
  };

  const onClick = (event: MouseEvent): void => {
    if (event.target instanceof Element && event.target.closest('a')) setOpen(false);
  };

  onMount(() => {
    whole.addEventListener('click', onClick);
    whole.addEventListener('keydown', onKeyDown);
    whole.addEventListener('focusout', onFocusOut);
  });

  return (
    <div ref={whole} class={`popover ${props.class ?? ''}`}>
      <button
        ref={button}
        type="button"
        class={props.buttonClass}
        aria-label={props.label}
        title={props.label}
        aria-expanded={open()}
        aria-controls={id}
        onClick={() => setOpen(!open())}
      >
        {props.face}
      </button>
      <Show when={open()}>
        <div
          id={id}
          class="popover-panel"
          ref={(panel) =>
            // A link in it leads elsewhere: the panel has done its work.
            panel.addEventListener('click', (event) => event.target instanceof Element && event.target.closest('a') && setOpen(false))
          }
        >
          {props.children}
        </div>
      </Show>
    </div>
  );
}
