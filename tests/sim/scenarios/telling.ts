/** Figures as lines for a person, and as numbers with names. */
import type { Figures } from '../scenario.ts';
import type { Census, GroupFigures } from '../workload/groups.ts';
import type { LookupFigures } from '../workload/lookups.ts';
import type { ValueFigures } from '../workload/values.ts';

type Tell = (line: string) => void;

export function tellLookups(tell: Tell, what: string, { count, median, p95, exact, whole, failed, messages }: LookupFigures): void {
  tell(
    `${count} lookups, ${what}: ${percent(exact)} of the true nearest 20 found, ${percent(whole)} whole, ${failed} failed; ${median.toFixed(0)} ms median, ${p95.toFixed(0)} ms p95${messages > 0 ? `, ${messages.toFixed(1)} messages each` : ''}`,
  );
}

export function tellValues(tell: Tell, { asked, found, broken, median, p95 }: ValueFigures): void {
  tell(
    `${found} of ${asked} values found, ${median.toFixed(0)} ms median, ${p95.toFixed(0)} ms p95${broken > 0 ? `; ${broken} not, though a keeper was there` : ''}`,
  );
}

export function tellGroups(tell: Tell, { asked, found }: GroupFigures, { copies, away, lost }: Census): void {
  tell(
    `${found} of ${asked} groups found; ${copies.toFixed(1)} disks that are there hold each, ${away} are held by nobody who is there, ${lost} are lost`,
  );
}

/** The figures with a name before each. */
export function lookupFigures(name: string, { exact, whole, failed, messages, median, p95 }: LookupFigures): Figures {
  return {
    [`${name}Exact`]: exact,
    [`${name}Whole`]: whole,
    [`${name}Failed`]: failed,
    [`${name}Messages`]: messages,
    [`${name}Median`]: median,
    [`${name}P95`]: p95,
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
