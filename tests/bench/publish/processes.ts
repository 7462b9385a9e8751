/** What a browser's processes take of the memory, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Bytes that are a process's own, not shared with others: what would be free without it. */
export interface BrowserMemory {
  /** All pages, with their workers. */
  readonly pages: number;
  /** All that is not a page: the disk's keeper among them. */
  readonly others: number;
}

/** Of the browser whose profile lies in `folder`. Throws where there is no `/proc`. */
export function memoryOf(folder: string): BrowserMemory {
  const all = processes();
  const main = all.find(({ args }) => args.includes(`--user-data-dir=${folder}`) && !args.some((arg) => arg.startsWith('--type=')));
  if (!main) throw new Error(`No browser runs in ${folder}.`);
  const ids = new Set([main.id]);
  for (let before = 0; before < ids.size; ) {
    before = ids.size;
    for (const { id, parent } of all) if (ids.has(parent)) ids.add(id);
  }
  let [pages, others] = [0, 0];
  for (const { id, args } of all) {
    if (!ids.has(id)) continue;
    if (args.includes('--type=renderer')) pages += ownBytes(id);
    else others += ownBytes(id);
  }
  return { pages, others };
}

interface Process {
  readonly id: number;
  readonly parent: number;
  readonly args: readonly string[];
}

function processes(): readonly Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const args = read(`/proc/${name}/cmdline`);
    const parent = /^PPid:\s*(\d+)/m.exec(read(`/proc/${name}/status`))?.[1];
    // Chromium's children separate their arguments by spaces.
    return parent === undefined ? [] : [{ id: Number(name), parent: Number(parent), args: args.split(/[\0 ]/) }];
  });
}

function ownBytes(id: number): number {
  const kilobytes = [...read(`/proc/${id}/smaps_rollup`).matchAll(/^(?:Private_Clean|Private_Dirty|Swap):\s*(\d+) kB/gm)];
  return 1024 * kilobytes.reduce((sum, match) => sum + Number(match[1]), 0);
}

/** Empty for a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
