/** A video's picture: its poster, or a drawing made from its id. */
import { createMemo, For, type JSX, Show } from 'solid-js';
import { drawCover, sectorPath } from './cover.ts';

export function Cover(props: { readonly videoId: string; readonly poster: string | null }): JSX.Element {
  return (
    <Show when={props.poster} fallback={<DrawnCover videoId={props.videoId} />}>
      {(poster) => <img class="cover" src={poster()} alt="" draggable={false} decoding="async" />}
    </Show>
  );
}

function DrawnCover(props: { readonly videoId: string }): JSX.Element {
  const drawing = createMemo(() => drawCover(props.videoId));
  return (
    <svg class="cover" data-palette={drawing().palette} viewBox="0 0 160 90" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
      <rect class="cover-ground" width="160" height="90" />
      <path class="cover-sweep" d={sectorPath(drawing().centre, 190, drawing())} />
      <path class="cover-line" d={`M0 ${drawing().centre[1]}H160M${drawing().centre[0]} 0V90`} />
      <For each={drawing().radii}>
        {(radius) => <circle class="cover-line" cx={drawing().centre[0]} cy={drawing().centre[1]} r={radius} />}
      </For>
      <For each={drawing().lines}>
        {([from, to]) => {
          const start = drawing().nodes[from];
          const end = drawing().nodes[to];
          return <path class="cover-link" d={`M${start?.[0]} ${start?.[1]}L${end?.[0]} ${end?.[1]}`} />;
        }}
      </For>
      <For each={drawing().nodes}>{([x, y, size]) => <circle class="cover-node" cx={x} cy={y} r={size} />}</For>
    </svg>
  );
}
