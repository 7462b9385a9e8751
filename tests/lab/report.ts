/** Results for people: a table on the terminal, and docs/nat.md. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../signal-server/prepare.mjs';
import { type LabOptions, PARTS, type PartName } from './options.ts';
import type { LabRow } from './row.ts';

/** Prints the rows under their columns. */
export function printRows(rows: readonly LabRow[]): void {
  const cells = rows.map(({ part, what, got, must, ok }) => [part, what, got, must ?? '–', mark(ok)]);
  const lines = [['part', 'what', 'got', 'must', 'ok'], ...cells];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines) {
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

const PAGE = join(ROOT, 'docs/nat.md');
const TITLES: Readonly<Record<PartName, string>> = {
  nats: 'The NATs of the lab, as a probe sees them (RFC 4787)',
  links: 'The links of the lab, as packets feel them',
  pairs: 'Pairs of homes',
  relayed: 'No direct way and no TURN',
  lan: 'Two people in one home',
  homes: 'Six homes while open nodes die',
};
const INTRODUCTION = `# How tabs behind NATs link up

Measured by \`npm run lab -- --write\` (root, Linux): real Chromium in homes of network namespaces, behind real NATs, with the site of one open
node. A home's addresses are hidden behind mDNS names, as is the browser's default. STUN is the open node's own; TURN, where it is said, a coturn.
Times are from when both tabs had joined to when both had the link, with our own handshake; a round trip (rt) is from home to home and back. The
floor from the offer to an open channel is 4.2 round trips; the wait for a STUN server adds to it, and each side's processor.
A home's link is a Perl program between two TUN devices, as not every kernel has netem: it carries 100 Mbit/s on a quarter of a core.
One part is measured anew with \`--only\`; the other sections stay.
`;

/** Writes docs/nat.md: the sections of the parts that ran, and those of the others as they were. */
export function writePage(rows: readonly LabRow[], options: LabOptions): void {
  const before = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const sections = PARTS.flatMap((part) => {
    if (options.parts.includes(part))
      return section(
        part,
        rows.filter((row) => row.part === part),
        options,
      );
    const start = before.indexOf(`## ${TITLES[part]}\n`);
    if (start < 0) return [];
    const end = before.indexOf('\n## ', start);
    return before.slice(start, end < 0 ? undefined : end).trimEnd();
  });
  writeFileSync(PAGE, `${[INTRODUCTION.trimEnd(), ...sections].join('\n\n')}\n`);
}

function section(part: PartName, rows: readonly LabRow[], { delay }: LabOptions): string {
  const simple = rows.filter(({ figures }) => figures?.median === undefined || part !== 'pairs');
  const timed = rows.filter((row) => !simple.includes(row));
  const lines = [`## ${TITLES[part]}`, ''];
  if (timed.length > 0) {
    lines.push(`Each home's link: ${delay} ms one way, 50 Mbit/s; a round trip is ${4 * delay} ms.`, '');
    lines.push('| pair | link | first try | median | p95 | offer to open channel | ok |', '|---|---|---|---|---|---|---|');
    for (const { figures: found = {}, what, ok } of timed) {
      const time = (name: string): string =>
        `${Math.round(Number(found[name]))} ms, ${(Number(found[name]) / Number(found.roundTrip)).toFixed(1)} rt`;
      const link = found.kind === 'TURN' ? `TURN ${found.relayed}/${found.tries}` : `direct ${found.direct}/${found.tries}`;
      lines.push(
        `| ${what} | ${link} | ${found.firstTry}/${found.tries} | ${time('median')} | ${time('p95')} | ${time('opening')} | ${mark(ok)} |`,
      );
    }
    lines.push('');
  }
  if (simple.length > 0) {
    lines.push('| what | seen | must | ok |', '|---|---|---|---|');
    for (const { what, got, must, ok } of simple) lines.push(`| ${what} | ${got} | ${must ?? '–'} | ${mark(ok)} |`);
  }
  return lines.join('\n').trimEnd();
}

function mark(ok: boolean | null): string {
  return ok === null ? '–' : ok ? 'yes' : '**no**';
}
