/** What the page of these tests answers with. */
import type { Answer } from './page.ts';

/** The result; throws what went wrong in the page. */
export function unwrap<T>(answer: Answer<T>): T {
  if ('failed' in answer) throw new Error(`${answer.failed.code}: ${answer.failed.message}`);
  return answer.ok;
}
