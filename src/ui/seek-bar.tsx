/** Where in the video: a slider with what is loaded, and the time and picture under the pointer, or where the keys went. */
import { createSignal, type JSX, onCleanup, Show } from 'solid-js';
import type { PreviewTiles } from '../app/state.ts';
import { formatTime, speakTime } from './format.ts';
import type { Playback } from './playback.ts';
import { SeekPreview } from './seek-preview.tsx';

export interface SeekBarProps {
  readonly playback: Playback;
  readonly preview: PreviewTiles | null;
}

/** The picture stays so long after a key, in milliseconds. */
const AFTER_KEY = 1_500;

export function SeekBar(props: SeekBarProps): JSX.Element {
  const [hover, setHover] = createSignal<number | null>(null);
  const [dragged, setDragged] = createSignal<number | null>(null);
  const [keyed, setKeyed] = createSignal(false);
  let bar!: HTMLDivElement;
  let keyTimer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(keyTimer));

  const length = () => Math.max(props.playback.duration(), 0.001);
  const shown = () => dragged() ?? props.playback.time();
  const part = (seconds: number) => Math.min(1, Math.max(0, seconds / length()));
  const under = (event: PointerEvent): number => {
    const { left, width } = bar.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width)));
  };

  /** 0 to 1: what a person points at, drags to, or has just jumped to by a key. */
  const looked = (): number | null => {
    const at = dragged();
    if (at !== null) return part(at);
    return hover() ?? (keyed() ? part(props.playback.time()) : null);
  };
  const onKey = (): void => {
    setKeyed(true);
    clearTimeout(keyTimer);
    keyTimer = setTimeout(() => setKeyed(false), AFTER_KEY);
  };

  return (
    <div
      ref={bar}
      class="seek"
      style={{
        '--at': `${part(shown())}`,
        '--loaded': `${part(Math.max(props.playback.bufferedTo(), shown()))}`,
        '--hover': `${looked() ?? 0}`,
      }}
      onPointerMove={(event) => setHover(under(event))}
      onPointerLeave={() => setHover(null)}
      onPointerUp={(event) => event.pointerType === 'touch' && setHover(null)}
    >
      <span class="seek-track" aria-hidden="true">
        <span class="seek-loaded" />
        <span class="seek-at" />
      </span>
      <span class="seek-knob" aria-hidden="true" />
      <Show when={looked() !== null}>
        <span class="seek-look" aria-hidden="true">
          <Show when={props.preview}>{(preview) => <SeekPreview preview={preview()} seconds={(looked() ?? 0) * length()} />}</Show>
          <span class="seek-time">{formatTime((looked() ?? 0) * length())}</span>
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
        onKeyDown={onKey}
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
