import { describe, expect, it } from 'vitest';
import { asKadreelError, assertNever, fail, hasCode, KadreelError } from '../../../src/base/errors.ts';

describe('errors', () => {
  it('carry a code, a message and the cause', () => {
    const cause = new Error('disk');
    const error = fail('quota', 'No room is left.', cause);
    expect(error).toBeInstanceOf(KadreelError);
    expect(error).toMatchObject({ name: 'KadreelError', code: 'quota', message: 'No room is left.', cause });
    expect('cause' in fail('timeout', 'Late.')).toBe(false);
  });

  it('are told apart by code', () => {
    expect(hasCode(fail('timeout', ''), 'timeout')).toBe(true);
    expect(hasCode(fail('timeout', ''), 'closed')).toBe(false);
    expect(hasCode(new Error('timeout'), 'timeout')).toBe(false);
    expect(hasCode({ code: 'timeout' }, 'timeout')).toBe(false);
  });

  it('of others become internal, with their message', () => {
    const ours = fail('refused', 'No.');
    expect(asKadreelError(ours)).toBe(ours);
    expect(asKadreelError(new TypeError('x is not a function'))).toMatchObject({ code: 'internal', message: 'x is not a function' });
    expect(asKadreelError('text')).toMatchObject({ code: 'internal', message: 'text', cause: 'text' });
    expect(asKadreelError(undefined).code).toBe('internal');
  });

  it('name a variant that was forgotten', () => {
    expect(() => assertNever({ type: 'new' } as never)).toThrow(/"new"/);
  });
});
