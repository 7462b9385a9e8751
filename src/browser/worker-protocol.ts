/**
 * What the service worker and a page say to each other. A conversation has a MessagePort of its own: the worker sends the page
 * `{ kadreel: 'call' }` with the port, the page answers `here`, the worker sends its request, the page its answer.
 * Either side may be of another version of the site than the other: everything that arrives is checked.
 */
import type { Bytes } from '../base/bytes.ts';
import type { ErrorCode } from '../base/errors.ts';
import type { GroupReference, VideoId } from '../media/manifest.ts';

type GroupKey = GroupReference['key'];

/** What the worker needs of a page. */
export type WorkerRequest =
  | { readonly kind: 'catalogue'; readonly videoId: VideoId }
  | { readonly kind: 'segment'; readonly group: GroupKey; readonly index: number };

/** A page's answer: the encoded catalogue (`encodeCatalogue`), or the segment. Its buffer is transferred, so the page loses it. */
export type WorkerAnswer = Bytes;

/** Worker to page, not on a port. `read`: a segment of a page's video came from this disk, without the page. */
export type WorkerNotice =
  | { readonly kadreel: 'call' }
  | { readonly kadreel: 'read'; readonly group: GroupKey; readonly index: number; readonly bytes: number };

/**
 * Page to worker, not on a port. `claim`: control me, I was reloaded past you · `activate`: replace the older worker, if I am the only
 * page · `cancel`: my player no longer wants this path.
 */
export type PageNotice =
  | { readonly kadreel: 'claim' }
  | { readonly kadreel: 'activate' }
  | { readonly kadreel: 'cancel'; readonly path: string };

/** Worker to page, on the port of a call. */
export type WorkerMessage = { readonly type: 'request'; readonly request: WorkerRequest } | { readonly type: 'abort' };

/** Page to worker, on the port of a call. */
export type PageMessage =
  | { readonly type: 'here' }
  | { readonly type: 'answer'; readonly answer: WorkerAnswer }
  | { readonly type: 'failure'; readonly code: string; readonly message: string };

const MAX_INDEX = 63;

/** The notice, or null for anything else. */
export function parseNotice(data: unknown): WorkerNotice | null {
  const value = fields(data);
  if (value?.kadreel === 'call') return { kadreel: 'call' };
  if (value?.kadreel !== 'read') return null;
  const group = parseKeyOf(value.group);
  return group && isIndex(value.index) && typeof value.bytes === 'number' && value.bytes >= 0
    ? { kadreel: 'read', group, index: value.index, bytes: value.bytes }
    : null;
}

/** The notice, or null for anything else. */
export function parsePageNotice(data: unknown): PageNotice | null {
  const value = fields(data);
  if (value?.kadreel === 'claim' || value?.kadreel === 'activate') return { kadreel: value.kadreel };
  return value?.kadreel === 'cancel' && typeof value.path === 'string' ? { kadreel: 'cancel', path: value.path } : null;
}

/** The message, or null for anything else. */
export function parseWorkerMessage(data: unknown): WorkerMessage | null {
  const value = fields(data);
  if (value?.type === 'abort') return { type: 'abort' };
  const request = value?.type === 'request' && fields(value.request);
  if (!request) return null;
  if (request.kind === 'catalogue') {
    const videoId = parseKeyOf(request.videoId);
    return videoId && { type: 'request', request: { kind: 'catalogue', videoId } };
  }
  const group = parseKeyOf(request.group);
  return request.kind === 'segment' && group && isIndex(request.index)
    ? { type: 'request', request: { kind: 'segment', group, index: request.index } }
    : null;
}

/** The message, or null for anything else. */
export function parsePageMessage(data: unknown): PageMessage | null {
  const value = fields(data);
  if (value?.type === 'here') return { type: 'here' };
  if (value?.type === 'failure' && typeof value.code === 'string' && typeof value.message === 'string') {
    return { type: 'failure', code: value.code, message: value.message.slice(0, 500) };
  }
  return value?.type === 'answer' && isBytes(value.answer) ? { type: 'answer', answer: value.answer } : null;
}

/** Codes that a page's failure may name; what is not one reads as `internal`. */
const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'aborted',
  'timeout',
  'closed',
  'refused',
  'unreachable',
  'no-path',
  'not-found',
  'withdrawn',
  'corrupt',
  'invalid',
  'too-large',
  'quota',
  'unsupported',
  'missing-feature',
  'internal',
]);

/** The code, or `internal` for a text that is none. */
export function errorCode(text: string): ErrorCode {
  return CODES.has(text) ? (text as ErrorCode) : 'internal';
}

function fields(data: unknown): Record<string, unknown> | null {
  return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : null;
}

/** Video ids and group keys are both keys: 40 hexadecimal digits. */
function parseKeyOf(value: unknown): VideoId | null {
  return typeof value === 'string' && /^[0-9a-f]{40}$/.test(value) ? (value as VideoId) : null;
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_INDEX;
}

function isBytes(value: unknown): value is Bytes {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}
