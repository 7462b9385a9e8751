/** What a first visit loads must not grow unseen. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/** Growth that needs no thought. Above it, look for the cause; when it is worth it, write the new sizes into the golden file. */
const MAY_GROW = 1.1;

interface Sizes {
  readonly scripts: number;
  readonly styles: number;
  readonly later: number;
}

const built = readSizes('../../dist/bundle-size.json');
const golden = readSizes('../golden/bundle-size.json');

describe('bundle size, bytes after gzip (`npm run build` measures it)', () => {
  test.each(['scripts', 'styles', 'later'] as const)('%s: at most 10% over tests/golden/bundle-size.json', (part) => {
    expect(built[part]).toBeGreaterThan(0);
    expect(built[part]).toBeLessThanOrEqual(golden[part] * MAY_GROW);
  });
});

function readSizes(path: string): Sizes {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Sizes;
}
