/** Addresses of pages. Pure: what the address bar says is read and written elsewhere. */
import { assertNever } from '../base/errors.ts';
import { parseKey } from '../kademlia/key.ts';
import type { Route, State } from './state.ts';

/** The page that a path names. Every path is some page: what names nothing is `missing`. */
export function parsePath(path: string): Route {
  const [, first = '', second, ...rest] = path.split('/');
  if (rest.length === 0 || (rest.length === 1 && rest[0] === '')) {
    if (first === '' && second === undefined) return { page: 'home' };
    if (first === 'network' && (second === undefined || second === '')) return { page: 'network' };
    if (first === 'publish' && (second === undefined || second === '')) return { page: 'publish' };
    if ((first === 'invite' || first === 'join') && (second === undefined || second === '')) return { page: first };
    const videoId = (first === 'watch' || first === 'edit') && second !== undefined ? parseKey(second.toLowerCase()) : null;
    if (videoId) return { page: first === 'edit' ? 'edit' : 'watch', videoId };
  }
  return { page: 'missing', path };
}

/** The path of a page: `parsePath` of it gives the page back. */
export function pathOf(route: Route): string {
  switch (route.page) {
    case 'home':
      return '/';
    case 'publish':
      return '/publish';
    case 'network':
      return '/network';
    case 'invite':
    case 'join':
      return `/${route.page}`;
    case 'watch':
    case 'edit':
      return `/${route.page}/${route.videoId}`;
    case 'missing':
      return route.path;
    default:
      return assertNever(route);
  }
}

/** The title of the window or tab. */
export function titleOf(state: Pick<State, 'route' | 'watching' | 'publishing'>): string {
  const { route, watching, publishing } = state;
  switch (route.page) {
    case 'home':
      return 'Kadreel: video without a video server';
    case 'publish':
      return publishing.step === 'working' ? `${Math.floor(publishing.progress.fraction * 100)} % · Kadreel` : 'Publish · Kadreel';
    case 'watch':
      return watching.phase === 'ready' && watching.videoId === route.videoId ? `${watching.title} · Kadreel` : 'Watch · Kadreel';
    case 'edit':
      return 'Edit · Kadreel';
    case 'network':
      return 'Network · Kadreel';
    case 'invite':
      return 'Invite · Kadreel';
    case 'join':
      return 'Join · Kadreel';
    case 'missing':
      return 'Not found · Kadreel';
    default:
      return assertNever(route);
  }
}
