import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  parseNotice,
  parsePageMessage,
  parsePageNotice,
  parseWorkerMessage,
  type WorkerRequest,
} from '../../../src/browser/worker-protocol.ts';
import type { VideoId } from '../../../src/media/manifest.ts';
import { createBridge, type Page, type Pages } from '../../../src/worker/bridge.ts';

/** Milliseconds: short, so that what never answers is soon given up. */
const TIMES = { here: 40, answer: 80 };
const REQUEST: WorkerRequest = { kind: 'segment', group: 'ab'.repeat(20) as VideoId, index: 3 };

/** A page that says `here` or not, and then answers with `answer`. */
function page(
  id: string,
  behaviour: { awake: boolean; type?: string; answer?: (port: MessagePort, data: unknown) => void },
): Page & { calls: number } {
  const self = {
    id,
    type: behaviour.type ?? 'window',
    calls: 0,
    postMessage(_notice: unknown, transfer: Transferable[] = []) {
      const [port] = transfer;
      if (!(port instanceof MessagePort)) return;
      self.calls++;
      port.onmessage = (event) => behaviour.answer?.(port, event.data);
      if (behaviour.awake) port.postMessage({ type: 'here' });
    },
  };
  return self;
}

function pagesOf(all: readonly Page[]): Pages {
  return {
    get: async (id) => all.find((one) => one.id === id),
    matchAll: async () => all.filter((one) => one.type === 'window'),
  };
}

const give =
  (bytes: readonly number[]) =>
  (port: MessagePort): void =>
    port.postMessage({ type: 'answer', answer: new Uint8Array(bytes) });

const ask = (all: readonly Page[], clientId: string, signal = new AbortController().signal): Promise<Uint8Array> =>
  createBridge(pagesOf(all), TIMES).ask(REQUEST, { clientId, signal });

test('the asking page answers, and no other is called', async () => {
  const asking = page('a', { awake: true, answer: give([1, 2]) });
  const other = page('b', { awake: true, answer: give([3]) });
  expect(await ask([other, asking], 'a')).toEqual(new Uint8Array([1, 2]));
  expect(other.calls).toBe(0);
});

test.each([
  ['is frozen', [page('a', { awake: false }), page('b', { awake: true, answer: give([7]) })]],
  ['is a worker', [page('a', { awake: false, type: 'worker' }), page('b', { awake: true, answer: give([7]) })]],
  ['is unknown', [page('c', { awake: false }), page('b', { awake: true, answer: give([7]) })]],
])('when who asked %s, a page that is awake answers', async (_why, all) => {
  expect(await ask(all, 'a')).toEqual(new Uint8Array([7]));
});

test('with no page, or none awake, it is `unreachable`, not a wait', async () => {
  await expect(ask([], 'a')).rejects.toMatchObject({ code: 'unreachable' });
  await expect(ask([page('a', { awake: false }), page('b', { awake: false })], 'a')).rejects.toMatchObject({ code: 'unreachable' });
});

test('a page that is awake and never answers is a `timeout`, and is told to stop', async () => {
  const heard: unknown[] = [];
  const silent = page('a', { awake: true, answer: (_port, data) => void heard.push(data) });
  await expect(ask([silent], 'a')).rejects.toMatchObject({ code: 'timeout' });
  await expect.poll(() => heard).toEqual([{ type: 'request', request: REQUEST }, { type: 'abort' }]);
});

test('a cancelled request is `aborted`, and the page is told to stop', async () => {
  const heard: unknown[] = [];
  const controller = new AbortController();
  const silent = page('a', {
    awake: true,
    answer(_port, data) {
      heard.push(data);
      controller.abort();
    },
  });
  await expect(ask([silent], 'a', controller.signal)).rejects.toMatchObject({ code: 'aborted' });
  await expect.poll(() => heard).toContainEqual({ type: 'abort' });
});

test('the page’s own failure comes with its code; an unknown code is `internal`', async () => {
  const failing = (code: string): Page =>
    page('a', { awake: true, answer: (port) => port.postMessage({ type: 'failure', code, message: 'Why.' }) });
  await expect(ask([failing('not-found')], 'a')).rejects.toMatchObject({ code: 'not-found', message: 'Why.' });
  await expect(ask([failing('nonsense')], 'a')).rejects.toMatchObject({ code: 'internal' });
});

test('an answer that is none is `invalid`', async () => {
  for (const answer of [null, 5, 'bytes', [1, 2], { type: 'answer' }, { type: 'answer', answer: [1] }, { type: 'answer', answer: 'x' }]) {
    await expect(ask([page('a', { awake: true, answer: (port) => port.postMessage(answer) })], 'a')).rejects.toMatchObject({
      code: 'invalid',
    });
  }
});

test('whatever arrives, the checks answer and do not throw', () => {
  fc.assert(
    fc.property(fc.anything(), (data) => {
      for (const parse of [parseNotice, parsePageNotice, parseWorkerMessage, parsePageMessage]) {
        const parsed = parse(data);
        expect(parsed === null || typeof parsed === 'object').toBe(true);
      }
    }),
  );
});

test('what goes over is what comes out; an index or a key out of bounds is refused', () => {
  expect(parseWorkerMessage({ type: 'request', request: REQUEST })).toEqual({ type: 'request', request: REQUEST });
  const catalogue = { kind: 'catalogue', videoId: REQUEST.group };
  expect(parseWorkerMessage({ type: 'request', request: catalogue })).toEqual({ type: 'request', request: catalogue });
  for (const wrong of [{ index: -1 }, { index: 64 }, { index: 1.5 }, { group: 'AB'.repeat(20) }, { group: '' }, { kind: 'other' }]) {
    expect(parseWorkerMessage({ type: 'request', request: { ...REQUEST, ...wrong } })).toBeNull();
  }
  expect(parseNotice({ kadreel: 'read', group: REQUEST.group, index: 1, bytes: 5 })).toMatchObject({ bytes: 5 });
  expect(parsePageNotice({ kadreel: 'cancel', path: '/hls/x' })).toEqual({ kadreel: 'cancel', path: '/hls/x' });
});
