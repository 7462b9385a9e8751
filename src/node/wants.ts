/** What a search asks for, from its number on the wire. */
import { fail } from '../base/errors.ts';
import { WANT, type Want } from '../wire/messages.ts';

const NAMES = new Map<number, Want>(Object.entries(WANT).map(([name, number]) => [number, name as Want]));

/** Throws `invalid` for a number that means nothing. */
export function wantOf(number: number): Want {
  const want = NAMES.get(number);
  if (!want) throw fail('invalid', 'I do not know that kind of thing.');
  return want;
}
