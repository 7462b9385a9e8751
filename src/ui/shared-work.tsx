/** Who makes the smaller pictures when others help: a row for each, its pieces on one line of time. */
import { For, type JSX, Show } from 'solid-js';
import type { SharedWorker, SharedWork as Work, WorkSpan } from '../app/api.ts';
import { formatLeft } from './format.ts';

export function SharedWork(props: { readonly work: Work }): JSX.Element {
  const spans = () => props.work.workers.flatMap((worker) => worker.spans);
  const from = () => Math.min(...spans().map((span) => span.from));
  /** The newest time that is known: what is under work reaches to it. */
  const until = () => Math.max(from() + 1, ...spans().map((span) => span.until ?? span.from));
  const share = (time: number): number => (100 * (time - from())) / (until() - from());
  const place = (span: WorkSpan): JSX.CSSProperties => ({
    left: `${share(span.from)}%`,
    width: `${Math.max(share(span.until ?? until()) - share(span.from), 0.5)}%`,
  });
  return (
    <section class="shared-work" aria-label="Who makes them">
      <p class="qualities-title">Who makes them</p>
      <ul>
        <For each={props.work.workers}>
          {(worker) => (
            <li aria-label={rowWords(worker)}>
              <span class="shared-name">{nameOf(worker)}</span>
              <span class="shared-line" aria-hidden="true">
                <For each={worker.spans}>
                  {(span) => <span class="shared-span" data-outcome={span.outcome ?? 'now'} title={spanWords(span)} style={place(span)} />}
                </For>
              </span>
              <span class="quiet">{worker.dropped ? 'left out' : pieces(worker.made)}</span>
            </li>
          )}
        </For>
      </ul>
      <p class="quiet" role="status" aria-label="Shared work">
        <Show when={props.work.speedUp} fallback="Others help: the first pieces are on their way.">
          {(times) => <>{times().toFixed(1)} times as fast as one tab alone</>}
        </Show>
        <Show when={props.work.secondsLeft}>{(seconds) => <> · {formatLeft(seconds())}</>}</Show>
      </p>
    </section>
  );
}

function nameOf({ id }: SharedWorker): string {
  return id === 'own' ? 'This tab' : `Tab ${id.slice(0, 6)}`;
}

function pieces(count: number): string {
  return `${count} ${count === 1 ? 'piece' : 'pieces'}`;
}

function rowWords(worker: SharedWorker): string {
  const left = worker.dropped ? ', left out because it gave something wrong' : '';
  return `${nameOf(worker)}: ${pieces(worker.made)}${left}`;
}

function spanWords({ quality, segment, outcome }: WorkSpan): string {
  const what = segment === null ? quality : `${quality}, piece ${segment + 1}`;
  return `${what}: ${outcome === null ? 'under work' : OUTCOMES[outcome]}`;
}

const OUTCOMES = {
  made: 'made',
  checked: 'made a second time, to compare',
  spare: 'somebody else was sooner',
  lost: 'it did not come',
  wrong: 'it was wrong',
} as const;
