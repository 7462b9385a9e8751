/** The bar of buttons over the picture. */
import { Index, type JSX, Show } from 'solid-js';
import type { LowerChoice } from '../app/api.ts';
import type { PreviewTiles } from '../app/state.ts';
import type { CaptionTrack } from './caption-tracks.ts';
import { formatTime } from './format.ts';
import {
  CaptionsIcon,
  MaximizeIcon,
  MinimizeIcon,
  PauseIcon,
  PictureInPictureIcon,
  PlayIcon,
  SettingsIcon,
  VolumeIcon,
  VolumeOffIcon,
} from './icons.tsx';
import type { Playback } from './playback.ts';
import { Popover } from './popover.tsx';
import { SeekBar } from './seek-bar.tsx';
import type { Quality } from './stream-policy.ts';

export interface ControlsProps {
  readonly playback: Playback;
  readonly preview: PreviewTiles | null;
  readonly captions: readonly CaptionTrack[];
  /** -1: none is shown. */
  readonly caption: number;
  readonly onCaption: (index: number) => void;
  readonly qualities: readonly Quality[];
  readonly quality: number;
  readonly onQuality: (index: number) => void;
  /** Qualities that are made when they are asked for, and the one that is being made. */
  readonly lower: readonly LowerChoice[];
  readonly making: string | null;
  readonly onAskLower: (name: string) => void;
}

/** What the first quality on demand is among the numbers of levels, which are above; the next ones are below it. */
const ON_DEMAND = -2;
const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

export function Controls(props: ControlsProps): JSX.Element {
  const offered = () => {
    const list = props.qualities.map(({ index, name }) => ({ value: index, name }));
    return list.length > 1 ? list : [{ value: -1, name: 'As published' }];
  };
  const lowerName = (name: string): string => `${name}, ${props.making === name ? 'being made' : 'made on demand'}`;
  /** What is being made counts as chosen before it plays. */
  const chosen = (): number => {
    const making = props.lower.findIndex(({ name }) => name === props.making);
    return making < 0 ? props.quality : ON_DEMAND - making;
  };
  const chooseQuality = (value: number): void => {
    const lower = props.lower[ON_DEMAND - value];
    if (lower) props.onAskLower(lower.name);
    else props.onQuality(value);
  };
  const silent = () => props.playback.muted() || props.playback.volume() === 0;
  return (
    <div class="controls">
      <SeekBar playback={props.playback} preview={props.preview} />
      <div class="controls-row">
        <ControlButton label={props.playback.playing() ? 'Pause' : 'Play'} keys="k" onPress={() => props.playback.act({ type: 'toggle' })}>
          <Show when={props.playback.playing()} fallback={<PlayIcon size={20} fill="currentColor" />}>
            <PauseIcon size={20} fill="currentColor" />
          </Show>
        </ControlButton>
        <div class="volume">
          <ControlButton label={silent() ? 'Unmute' : 'Mute'} keys="m" onPress={() => props.playback.act({ type: 'mute' })}>
            <Show when={silent()} fallback={<VolumeIcon size={20} />}>
              <VolumeOffIcon size={20} />
            </Show>
          </ControlButton>
          <input
            type="range"
            aria-label="Volume"
            min="0"
            max="1"
            step="0.05"
            value={silent() ? 0 : props.playback.volume()}
            style={{ '--at': `${silent() ? 0 : props.playback.volume()}` }}
            onInput={(event) => props.playback.setVolume(event.currentTarget.valueAsNumber)}
          />
        </div>
        <p class="times">
          <span class="hidden">Time: </span>
          {formatTime(props.playback.time())}
          <span class="times-total"> / {formatTime(props.playback.duration())}</span>
        </p>
        <span class="controls-gap" />
        <Show when={props.captions.length > 0}>
          <Popover
            label="Captions"
            class="settings"
            buttonClass="control"
            face={
              <span class="captions-mark" data-on={props.caption >= 0 ? '' : undefined}>
                <CaptionsIcon size={20} />
              </span>
            }
          >
            <Choices
              legend="Captions (c)"
              name="captions"
              options={[{ value: -1, name: 'Off' }, ...props.captions.map(({ index, name }) => ({ value: index, name }))]}
              value={props.caption}
              onChoose={props.onCaption}
            />
          </Popover>
        </Show>
        <Popover
          label="Speed and quality"
          class="settings"
          buttonClass="control"
          face={
            <>
              <SettingsIcon size={20} />
              <Show when={props.playback.rate() !== 1}>
                <span class="control-note">{props.playback.rate()}×</span>
              </Show>
            </>
          }
        >
          <Choices
            legend="Speed"
            name="rate"
            options={RATES.map((rate) => ({ value: rate, name: rate === 1 ? 'Normal' : `${rate}×` }))}
            value={props.playback.rate()}
            onChoose={props.playback.setRate}
          />
          <Show when={props.qualities.length > 1 || props.lower.length > 0}>
            <Choices
              legend="Quality"
              name="quality"
              options={[...offered(), ...props.lower.map(({ name }, n) => ({ value: ON_DEMAND - n, name: lowerName(name) }))]}
              value={chosen()}
              onChoose={chooseQuality}
            />
          </Show>
        </Popover>
        <Show when={props.playback.canPicture}>
          <ControlButton
            label={props.playback.inPicture() ? 'Leave picture in picture' : 'Picture in picture'}
            onPress={props.playback.togglePicture}
          >
            <PictureInPictureIcon size={20} />
          </ControlButton>
        </Show>
        <ControlButton
          label={props.playback.fullscreen() ? 'Leave full screen' : 'Full screen'}
          keys="f"
          onPress={() => props.playback.act({ type: 'fullscreen' })}
        >
          <Show when={props.playback.fullscreen()} fallback={<MaximizeIcon size={20} />}>
            <MinimizeIcon size={20} />
          </Show>
        </ControlButton>
      </div>
    </div>
  );
}

interface ControlButtonProps {
  readonly label: string;
  /** The key that does the same. */
  readonly keys?: string;
  readonly onPress: () => void;
  readonly children: JSX.Element;
}

function ControlButton(props: ControlButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class="control"
      aria-label={props.label}
      aria-keyshortcuts={props.keys}
      title={props.keys ? `${props.label} (${props.keys})` : props.label}
      onClick={() => props.onPress()}
    >
      {props.children}
    </button>
  );
}

interface ChoicesProps {
  readonly legend: string;
  readonly name: string;
  readonly options: readonly { readonly value: number; readonly name: string }[];
  readonly value: number;
  readonly onChoose: (value: number) => void;
}

function Choices(props: ChoicesProps): JSX.Element {
  return (
    <fieldset class="choices">
      <legend>{props.legend}</legend>
      {/* By place: what is in use must not be made anew, as it has the focus. */}
      <Index each={props.options}>
        {(option) => (
          <label class="choice">
            <input
              type="radio"
              name={props.name}
              checked={props.value === option().value}
              onChange={() => props.onChoose(option().value)}
            />
            {option().name}
          </label>
        )}
      </Index>
    </fieldset>
  );
}
