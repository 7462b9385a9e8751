/** A part of the page whose code is loaded when it is first shown. */
import { ErrorBoundary, type JSX, Suspense } from 'solid-js';

export interface LaterProps {
  /** Shown until it is there, and when it can't be had: the server is gone before this browser has kept the whole app. */
  readonly meanwhile: JSX.Element;
  readonly otherwise: JSX.Element;
  readonly children: JSX.Element;
}

export function Later(props: LaterProps): JSX.Element {
  return (
    <ErrorBoundary fallback={props.otherwise}>
      <Suspense fallback={props.meanwhile}>{props.children}</Suspense>
    </ErrorBoundary>
  );
}
