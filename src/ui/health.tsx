/** How the node in this tab is doing: one line, and the details behind it. */
import { For, type JSX, Show } from 'solid-js';
import type { NodeHealth } from '../app/api.ts';
import { pathOf } from '../app/router.ts';
import { formatBytes, healthLine, plural, shortId } from './format.ts';
import { Popover } from './popover.tsx';

export function Health(props: { readonly health: NodeHealth }): JSX.Element {
  const line = () => healthLine(props.health);
  return (
    <div class="health" data-phase={props.health.phase}>
      {/* Its figures change all the time: it can be asked, but it does not interrupt. */}
      <div class="health-line" role="status" aria-live="off" aria-label="Node health">
        <span class="health-dot" aria-hidden="true" />
        <span class="health-word">{line().word}</span>
        <For each={line().figures}>
          {(figure) => (
            <span class="health-figure">
              <span aria-hidden="true"> · </span>
              {figure}
            </span>
          )}
        </For>
      </div>
      <Popover label="Details of this node" face={null} class="health-popover" buttonClass="health-button">
        <HealthDetails health={props.health} />
      </Popover>
    </div>
  );
}

function HealthDetails(props: { readonly health: NodeHealth }): JSX.Element {
  return (
    <>
      <h2>This tab is a node</h2>
      <p class="quiet">It keeps and serves pieces of other people’s videos for as long as it is open.</p>
      <Show when={props.health.problem}>{(problem) => <p class="health-problem">{problem()}</p>}</Show>
      <dl class="figures">
        <div>
          <dt>Id</dt>
          <dd>{props.health.id ? shortId(props.health.id) : 'not known yet'}</dd>
        </div>
        <div>
          <dt>Linked to</dt>
          <dd>
            {plural(props.health.links.tabs, 'tab')}, {plural(props.health.links.openNodes, 'open node')}
          </dd>
        </div>
        <For each={props.health.openNodes}>
          {(url) => (
            <div>
              <dt>Open node</dt>
              <dd>{url}</dd>
            </div>
          )}
        </For>
        <div>
          <dt>Kept on this disk</dt>
          <dd>{formatBytes(props.health.kept.bytes)}</dd>
        </div>
        <Show when={props.health.kept.quota > 0}>
          <div>
            <dt>For others at most</dt>
            <dd>{formatBytes(props.health.kept.quota)}</dd>
          </div>
        </Show>
        <div>
          <dt>Served to others</dt>
          <dd>{formatBytes(props.health.served)}</dd>
        </div>
      </dl>
      <p class="quiet">
        <a href={pathOf({ page: 'network' })}>Network: open nodes, STUN and TURN</a>
      </p>
      <Show when={props.health.phase !== 'failed'}>
        <a class="button button-plain" href="/invite">
          Invite somebody
        </a>
      </Show>
    </>
  );
}
