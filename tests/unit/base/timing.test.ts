import { describe, expect, it } from 'vitest';
import { fail } from '../../../src/base/errors.ts';
import { abortError, deadline, deferred, orAbort, quiet, wait } from '../../../src/base/timing.ts';
import { manualClock } from '../support/manual-clock.ts';

describe('wait', () => {
  it('resolves when the time has passed, and not before', async () => {
    const clock = manualClock();
    let over = false;
    const waiting = wait(clock, 100).then(() => {
      over = true;
    });
    clock.advance(99);
    await Promise.resolve();
    expect(over).toBe(false);
    clock.advance(1);
    await waiting;
    expect(over).toBe(true);
  });

  it('rejects at once when the signal fires, and frees its timer', async () => {
    const clock = manualClock();
    const controller = new AbortController();
    const waiting = wait(clock, 100, controller.signal);
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    expect(clock.pending).toBe(0);
  });

  it('rejects for a signal that fired before', async () => {
    const clock = manualClock();
    await expect(wait(clock, 100, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
    expect(clock.pending).toBe(0);
  });
});

describe('deadline', () => {
  it('fires with a timeout', () => {
    const clock = manualClock();
    const { signal } = deadline(clock, 250);
    clock.advance(249);
    expect(signal.aborted).toBe(false);
    clock.advance(1);
    expect(signal.reason).toMatchObject({ code: 'timeout', message: 'No answer within 250 ms.' });
  });

  it('passes on why its parent was aborted', () => {
    const clock = manualClock();
    const parent = new AbortController();
    const { signal } = deadline(clock, 250, parent.signal);
    parent.abort(fail('closed', 'The link ended.'));
    expect(signal.reason).toMatchObject({ code: 'closed' });
    const late = deadline(clock, 250, parent.signal);
    expect(late.signal.reason).toMatchObject({ code: 'closed' });
  });

  it('leaves nothing behind when the work is done', () => {
    const clock = manualClock();
    const parent = new AbortController();
    const limit = deadline(clock, 250, parent.signal);
    limit.done();
    parent.abort();
    clock.advance(1000);
    expect(limit.signal.aborted).toBe(false);
    expect(clock.pending).toBe(0);
  });
});

describe('orAbort', () => {
  it('gives what the promise gives when that comes first', async () => {
    const controller = new AbortController();
    await expect(orAbort(Promise.resolve(7), controller.signal)).resolves.toBe(7);
    await expect(orAbort(Promise.reject(fail('refused', 'No.')), controller.signal)).rejects.toMatchObject({ code: 'refused' });
  });

  it('gives the signal’s error when that comes first, and swallows what comes later', async () => {
    const controller = new AbortController();
    const work = deferred<number>();
    const either = orAbort(work.promise, controller.signal);
    controller.abort(fail('timeout', 'Late.'));
    await expect(either).rejects.toMatchObject({ code: 'timeout' });
    work.reject(new Error('later')); // an unhandled rejection would fail this run
    await Promise.resolve();
  });

  it('rejects at once for a signal that fired before', async () => {
    const failed = Promise.reject(new Error('nobody sees this'));
    await expect(orAbort(failed, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('abortError', () => {
  it('is the signal’s reason when that is an error of ours', () => {
    expect(abortError(AbortSignal.abort(fail('closed', 'x')))).toMatchObject({ code: 'closed' });
    expect(abortError(AbortSignal.abort(new Error('x')))).toMatchObject({ code: 'aborted' });
    expect(abortError(AbortSignal.abort('x'))).toMatchObject({ code: 'aborted' });
  });
});

describe('quiet', () => {
  it('hands back the same promise, whose rejection is nobody’s business', async () => {
    const promise = Promise.reject(new Error('x'));
    expect(quiet(promise)).toBe(promise);
    await expect(promise).rejects.toThrow('x');
  });
});
