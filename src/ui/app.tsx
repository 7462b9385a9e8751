/** The whole page: the frame, and in it the page of the present route. */
import { createEffect, createSignal, type JSX, lazy, Match, on, onCleanup, Show, Switch } from 'solid-js';
import { pathOf, titleOf } from '../app/router.ts';
import { isChanged } from '../app/update-editing.ts';
import { type FilePicker, pickWithHandles } from './file-picker.ts';
import { Footer } from './footer.tsx';
import { Header } from './header.tsx';
import { HomePage } from './home.tsx';
import { Later } from './later.tsx';
import { MissingPage } from './missing.tsx';
import { Notices } from './notices.tsx';
import type { UiProps } from './props.ts';
import { PublishPage } from './publish.tsx';
import { WatchPage } from './watch.tsx';

/** Seldom opened: loaded then, from the disk once the service worker is there. */
const InvitePage = lazy(async () => ({ default: (await import('./invite.tsx')).InvitePage }));
const NetworkPage = lazy(async () => ({ default: (await import('./network.tsx')).NetworkPage }));
const EditPage = lazy(async () => ({ default: (await import('./edit.tsx')).EditPage }));
const JoinPage = lazy(async () => ({ default: (await import('./join.tsx')).JoinPage }));

export function App(props: UiProps & { readonly picker: FilePicker }): JSX.Element {
  const dropping = dropAnywhere(props.picker, (file) => props.dispatch({ type: 'file-chosen', file }));
  onCleanup(pickWithHandles(props.picker));

  createEffect(() => {
    document.title = titleOf(props.state);
  });
  createEffect(() => {
    const { theme } = props.state;
    if (theme === 'system') document.documentElement.removeAttribute('data-theme');
    else document.documentElement.dataset.theme = theme;
  });
  createEffect(
    on(
      () => pathOf(props.state.route),
      () => {
        window.scrollTo(0, 0);
        document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
      },
      { defer: true },
    ),
  );
  createEffect(() => {
    if (!wouldLose(props.state)) return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    addEventListener('beforeunload', warn);
    onCleanup(() => removeEventListener('beforeunload', warn));
  });

  /** Our own links are followed without loading the page anew; every other click is the browser's. */
  const onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.origin !== location.origin || link.target !== '' || link.hasAttribute('download') || link.hash !== '') return;
    event.preventDefault();
    props.dispatch({ type: 'link-followed', path: link.pathname });
  };
  document.addEventListener('click', onClick);
  onCleanup(() => document.removeEventListener('click', onClick));

  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <Header state={props.state} dispatch={props.dispatch} />
      <main id="main" tabindex="-1" data-page={props.state.route.page}>
        <Switch>
          <Match when={props.state.route.page === 'home'}>
            <HomePage state={props.state} dispatch={props.dispatch} />
          </Match>
          <Match when={props.state.route.page === 'publish'}>
            <PublishPage state={props.state} dispatch={props.dispatch} />
          </Match>
          <Match when={props.state.route.page === 'watch'}>
            <WatchPage state={props.state} dispatch={props.dispatch} />
          </Match>
          <Match when={props.state.route.page === 'network'}>
            <Later meanwhile={null} otherwise={<NotLoaded />}>
              <NetworkPage state={props.state} dispatch={props.dispatch} />
            </Later>
          </Match>
          <Match when={props.state.route.page === 'invite'}>
            <Later meanwhile={null} otherwise={<NotLoaded />}>
              <InvitePage state={props.state} dispatch={props.dispatch} />
            </Later>
          </Match>
          <Match when={props.state.route.page === 'join'}>
            <Later meanwhile={null} otherwise={<NotLoaded />}>
              <JoinPage state={props.state} dispatch={props.dispatch} />
            </Later>
          </Match>
          <Match when={props.state.route.page === 'edit'}>
            <Later meanwhile={null} otherwise={<NotLoaded />}>
              <EditPage state={props.state} dispatch={props.dispatch} />
            </Later>
          </Match>
          <Match when={props.state.route.page === 'missing'}>
            <MissingPage />
          </Match>
        </Switch>
      </main>
      <Footer />
      <Show when={dropping()}>
        <div class="drop-veil" aria-hidden="true">
          <p>Let go to publish it</p>
        </div>
      </Show>
      <Notices state={props.state} dispatch={props.dispatch} />
    </>
  );
}

function NotLoaded(): JSX.Element {
  return (
    <div class="page column pairing">
      <h1 tabindex="-1">This page could not be loaded</h1>
      <p class="lead">
        The server does not answer, and this browser had not kept the whole app yet. Reload when the server is there again.
      </p>
    </div>
  );
}

/** Closing the tab now would stop work that goes on, or take away the only copy that others can reach. */
function wouldLose({ publishing, unfinished, editing, health }: UiProps['state']): boolean {
  if (editing.step === 'open' && (isChanged(editing) || (editing.sent?.copies === null && health.links.tabs > 0))) return true;
  if (publishing.step === 'working' || unfinished.some(({ phase }) => phase === 'working')) return true;
  if (publishing.step !== 'published' || publishing.copies !== null) return false;
  return health.links.tabs > 0 || publishing.qualities.some(({ phase }) => phase === 'waiting' || phase === 'making');
}

/** Takes a file that is dropped anywhere on the page. Answers whether one is held over it. */
function dropAnywhere(picker: FilePicker, take: (file: File) => void): () => boolean {
  const [held, setHeld] = createSignal(false);
  const hasFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  const onOver = (event: DragEvent): void => {
    if (!hasFile(event)) return;
    event.preventDefault();
    setHeld(true);
  };
  const onLeave = (event: DragEvent): void => {
    if (event.relatedTarget === null) setHeld(false);
  };
  const onDrop = (event: DragEvent): void => {
    if (!hasFile(event)) return;
    event.preventDefault();
    setHeld(false);
    if (!event.dataTransfer) return;
    void picker.dropped(event.dataTransfer).then((file) => file && take(file));
  };
  document.addEventListener('dragover', onOver);
  document.addEventListener('dragleave', onLeave);
  document.addEventListener('drop', onDrop);
  onCleanup(() => {
    document.removeEventListener('dragover', onOver);
    document.removeEventListener('dragleave', onLeave);
    document.removeEventListener('drop', onDrop);
  });
  return held;
}
