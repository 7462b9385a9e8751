/** Where in the video: a slider with what is loaded, and the time under the pointer. */
import { createSignal, type JSX, Show } from 'solid-js';
import { formatTime, speakTime } from './format.ts';
import type { Playback } from './playback.ts';

export function SeekBar(props: { readonly playback: Playback }): JSX.Element {
  const [hover, setHover] = createSignal<number | null>(null);
  const [dragged, setDragged] = createSignal<number | null>(null);
  let bar!: HTMLDivElement;

  const length = () => Math.max(props.playback.duration(), 0.001);
  const shown = () => dragged() ?? props.playback.time();
  const part = (seconds: number) => Math.min(1, Math.max(0, seconds / length()));
  const under = (event: PointerEvent): number => {
    const { left, width } = bar.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width)));
  };

  return (
    <div
      ref={bar}
      class="seek"
      style={{
        '--at': `${part(shown())}`,
        '--loaded': `${part(Math.max(props.playback.bufferedTo(), shown()))}`,
        '--hover': `${hover() ?? 0}`,
      }}
      onPointerMove={(event) => setHover(under(event))}
      onPointerLeave={() => setHover(null)}
    >
      <span class="seek-track" aria-hidden="true">
        <span class="seek-loaded" />
        <span class="seek-at" />
      </span>
      <span class="seek-knob" aria-hidden="true" />
      <Show when={hover() !== null}>
        <span class="seek-time" aria-hidden="true">
          {formatTime((hover() ?? 0) * length())}
        </span>
      </Show>
      <input
        type="range"
        aria-label="Seek"
        min="0"
        max={length()}
        step="0.05"
        value={shown()}
        aria-valuetext={`${speakTime(shown())} of ${speakTime(length())}`}
        onInput={(event) => {
          const seconds = event.currentTarget.valueAsNumber;
          setDragged(seconds);
          props.playback.seek(seconds);
        }}
        onChange={() => setDragged(null)}
      />
    </div>
  );
}
