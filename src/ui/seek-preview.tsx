/** The tile of the video that belongs to a moment, over the seek bar. */
import { createEffect, createSignal, type JSX, Show } from 'solid-js';
import type { PreviewTiles } from '../app/state.ts';

/** Where on which sheet the tile of a moment (seconds) lies: pixels. */
export function tileAt(
  preview: PreviewTiles,
  seconds: number,
): { readonly sheet: string; readonly left: number; readonly top: number } | null {
  const number = Math.min(preview.count - 1, Math.max(0, Math.floor(seconds / preview.interval)));
  const perSheet = preview.columns * preview.rows;
  const sheet = preview.sheets[Math.floor(number / perSheet)];
  if (sheet === undefined) return null;
  const place = number % perSheet;
  return { sheet, left: (place % preview.columns) * preview.width, top: Math.floor(place / preview.columns) * preview.height };
}

/** Nothing until its sheet is there: it comes from other tabs, and may not come at all. */
export function SeekPreview(props: { readonly preview: PreviewTiles; readonly seconds: number }): JSX.Element {
  const [loaded, setLoaded] = createSignal<ReadonlySet<string>>(new Set());
  const asked = new Set<string>();
  const tile = () => tileAt(props.preview, props.seconds);
  createEffect(() => {
    const sheet = tile()?.sheet;
    if (sheet === undefined || asked.has(sheet)) return;
    asked.add(sheet);
    const image = new Image();
    image.src = sheet;
    image.decode().then(
      () => setLoaded(new Set([...loaded(), sheet])),
      () => asked.delete(sheet), // Asked again at the next move: somebody may have it then.
    );
  });
  const shown = () => {
    const now = tile();
    return now && loaded().has(now.sheet) ? now : null;
  };
  return (
    <Show when={shown()}>
      {(now) => (
        <span
          class="seek-tile"
          style={{
            width: `${props.preview.width}px`,
            height: `${props.preview.height}px`,
            'background-image': `url("${now().sheet}")`,
            'background-position': `${-now().left}px ${-now().top}px`,
          }}
        />
      )}
    </Show>
  );
}
