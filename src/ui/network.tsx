/** What this tab is linked to, and what a person may set about it. */
import { type JSX, Match, Show, Switch } from 'solid-js';
import type { NetworkView } from '../app/api.ts';
import type { NetworkPart, State } from '../app/state.ts';
import type { Changing } from './network-form.tsx';
import { Help } from './network-help.tsx';
import { IceServers } from './network-ice-servers.tsx';
import { OpenNodes } from './network-open-nodes.tsx';
import type { UiProps } from './props.ts';

export function NetworkPage(props: UiProps): JSX.Element {
  return (
    <div class="page column network">
      <h1 tabindex="-1">Network</h1>
      <p class="lead">What this tab is linked to, and by what ways it reaches others.</p>
      <Switch>
        <Match when={props.state.network.view}>
          {(view) => (
            <>
              <Links view={view()} state={props.state} />
              <Help help={view().help} {...changing('help', props)} />
              <OpenNodes nodes={view().openNodes} {...changing('open-nodes', props)} />
              <IceServers servers={view().iceServers} found={view().stunFound} {...changing('ice-servers', props)} />
            </>
          )}
        </Match>
        <Match when={props.state.health.phase === 'failed'}>
          <p class="health-problem" role="alert">
            {props.state.health.problem}
          </p>
        </Match>
        <Match when={true}>
          <p class="quiet" role="status">
            This tab is starting…
          </p>
        </Match>
      </Switch>
    </div>
  );
}

/** RTCPeerConnections that a browser lets one tab make in its life. */
const MOST_CONNECTIONS = 500;

function Links(props: { readonly view: NetworkView; readonly state: State }): JSX.Element {
  return (
    <section class="panel" aria-labelledby="links">
      <h2 id="links">This tab</h2>
      <Show when={props.state.health.problem}>{(problem) => <p class="health-problem">{problem()}</p>}</Show>
      <dl class="figures">
        <div>
          <dt>Id</dt>
          <dd>
            <Show when={props.state.health.id} fallback="not known yet">
              {(id) => (
                <>
                  {id().slice(0, 20)}
                  <wbr />
                  {id().slice(20)}
                </>
              )}
            </Show>
          </dd>
        </div>
        <div>
          <dt>Linked tabs</dt>
          <dd>{props.view.tabs}</dd>
        </div>
        <div>
          <dt>Linked open nodes</dt>
          <dd>{props.view.openNodes.filter(({ linked }) => linked).length}</dd>
        </div>
        <div>
          <dt>Seen from outside</dt>
          <dd>{natWords(props.view.nat)}</dd>
        </div>
        <div>
          <dt>Direct connections tried so far</dt>
          <dd>
            {props.view.connections} of {MOST_CONNECTIONS}
          </dd>
        </div>
      </dl>
    </section>
  );
}

function natWords(nat: NetworkView['nat']): string {
  switch (nat) {
    case 'open':
      return 'under its own address: no NAT';
    case 'mapped':
      return 'under one address, behind a NAT that lets direct connections through';
    case 'symmetric':
      return 'under another address by each who looks: behind a symmetric NAT, two of which need a TURN server between them';
    default:
      return 'not known yet: no connection to another network has shown it';
  }
}

/** Getters, so that what reads them is drawn again when they change. */
function changing(part: NetworkPart, props: UiProps): Changing {
  return {
    get busy() {
      return props.state.network.changing !== null;
    },
    get refused() {
      const { refused } = props.state.network;
      return refused?.part === part ? refused : null;
    },
    dispatch: (event) => props.dispatch(event),
  };
}
