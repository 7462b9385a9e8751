import { describe, expect, it } from 'vitest';
import { type Doing, problemOf } from '../../../src/app/problems.ts';
import { type ErrorCode, fail } from '../../../src/base/errors.ts';

const CODES: Readonly<Record<ErrorCode, true>> = {
  aborted: true,
  timeout: true,
  closed: true,
  refused: true,
  unreachable: true,
  'no-path': true,
  'not-found': true,
  withdrawn: true,
  corrupt: true,
  invalid: true,
  'too-large': true,
  quota: true,
  unsupported: true,
  'missing-feature': true,
  internal: true,
};
const DOINGS: Readonly<Record<Doing, true>> = {
  starting: true,
  listing: true,
  probing: true,
  preparing: true,
  publishing: true,
  discarding: true,
  editing: true,
  removing: true,
  opening: true,
  playing: true,
  lowering: true,
  changing: true,
  inviting: true,
  joining: true,
};

describe('problemOf', () => {
  it('says what happened, why and what to do, for every code in every place, in full sentences', () => {
    for (const code of Object.keys(CODES) as ErrorCode[]) {
      for (const doing of Object.keys(DOINGS) as Doing[]) {
        for (const message of ['The disk is full of cats.', '']) {
          const problem = problemOf(fail(code, message), doing);
          expect(problem.code).toBe(code);
          for (const sentence of [problem.what, problem.why, problem.advice]) expect(sentence, `${code} ${doing}`).toMatch(/^[A-Z].*\.$/);
          if (message !== '') expect(problem.why).toBe(message);
        }
      }
    }
  });

  it('promises that nothing is lost only where a file is at stake', () => {
    expect(problemOf(fail('quota', ''), 'publishing').advice).toContain('still here');
    expect(problemOf(fail('timeout', ''), 'opening').advice).not.toContain('still here');
  });

  it('tells anything that is not one of our errors as internal, with its own message', () => {
    expect(problemOf(new TypeError('x is undefined'), 'opening')).toMatchObject({ code: 'internal', why: 'x is undefined' });
    expect(problemOf('bang', 'playing')).toMatchObject({ code: 'internal', why: 'bang' });
  });
});
