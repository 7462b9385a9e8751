/** System, light or dark. */
import { For, type JSX } from 'solid-js';
import { Dynamic } from 'solid-js/web';
import type { Theme } from '../app/state.ts';
import { MonitorIcon, MoonIcon, SunIcon } from './icons.tsx';
import { Popover } from './popover.tsx';
import type { Dispatch } from './props.ts';

const THEMES = [
  { theme: 'system', name: 'As the system', icon: MonitorIcon },
  { theme: 'light', name: 'Light', icon: SunIcon },
  { theme: 'dark', name: 'Dark', icon: MoonIcon },
] as const satisfies readonly { theme: Theme; name: string; icon: unknown }[];

export function ThemeSwitch(props: { readonly theme: Theme; readonly dispatch: Dispatch }): JSX.Element {
  const icon = () => THEMES.find(({ theme }) => theme === props.theme)?.icon ?? MonitorIcon;
  return (
    <Popover label="Theme" buttonClass="icon-button" class="theme-switch" face={<Dynamic component={icon()} size={18} />}>
      <fieldset class="choices">
        <legend>Theme</legend>
        <For each={THEMES}>
          {(choice) => (
            <label class="choice">
              <input
                type="radio"
                name="theme"
                checked={props.theme === choice.theme}
                onChange={() => props.dispatch({ type: 'theme-chosen', theme: choice.theme })}
              />
              <Dynamic component={choice.icon} size={16} />
              {choice.name}
            </label>
          )}
        </For>
      </fieldset>
    </Popover>
  );
}
