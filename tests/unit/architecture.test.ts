/** The rules of the code base that can be read off its text: who may import whom, what the core must not touch, what must be written down. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Names of things: what every part calls a node, a video and a group. */
const KEY = 'src/kademlia/key.ts';

/** Layers, or single files, that a layer may import besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  kademlia: ['base'],
  records: ['base', 'kademlia'],
  media: ['base', 'records', KEY],
  wire: ['base', 'kademlia', 'records'],
  node: ['base', 'kademlia', 'records', 'media', 'wire'],
  app: ['base', 'records', 'media', 'node', KEY],
  browser: ['base', 'wire', KEY],
  worker: ['base', 'media', 'browser', KEY],
  ui: ['base', 'media', 'app', KEY],
  main: ['base', 'kademlia', 'records', 'media', 'wire', 'node', 'app', 'browser', 'ui'],
  'signal-server': ['base', 'kademlia', 'records', 'media', 'wire', 'node'],
};

/** Layers of which it may use the types as well, which leave nothing in what runs. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = { browser: ['media'] };

/** The one file that knows each outside package; where the package is a language for a whole layer, the folder. */
const OWNERS: Readonly<Record<string, string>> = {
  '@ffmpeg/core': 'src/browser/ffmpeg.worker.ts',
  '@ffmpeg/core-mt': 'src/browser/ffmpeg.worker.ts',
  '@hpke/core': 'src/browser/seal.ts',
  '@noble/hashes': 'src/browser/crypto.ts',
  'hls.js': 'src/ui/stream.ts',
  idb: 'src/browser/idb.ts',
  'lucide-solid': 'src/ui/icons.tsx',
  mediabunny: 'src/browser/media-file.ts',
  'simple-peer': 'src/browser/webrtc.ts',
  'solid-js': 'src/ui/',
  uqr: 'src/ui/qr.ts',
  ws: 'signal-server/websocket.ts',
};

/** Layers that run unchanged in a tab, in Node and in the simulator. */
const CORE = ['base', 'kademlia', 'records', 'media', 'wire', 'node'];
/** What the core gets by ports instead (design: time, randomness, hashing, network and disk are ports). */
const NOT_IN_CORE =
  /(?<![.\w])(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|performance\.|crypto\.subtle|getRandomValues|window\.|document\.|globalThis\.)/;

const MAX_LINES = 350;

interface Import {
  readonly from: string;
  /** A path from the root for a file of ours, else the name as it is written. */
  readonly to: string;
  readonly ours: boolean;
  readonly typesOnly: boolean;
}

const files = new Map(
  [...filesUnder('src'), ...filesUnder('signal-server')]
    .filter((path) => /\.(tsx?|mjs)$/.test(path) && !path.endsWith('.d.ts'))
    .map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]),
);
const imports = [...files].flatMap(([path, text]) => importsOf(path, text));

describe('imports', () => {
  test('go from a layer only to those below it (design §2)', () => {
    const wrong = imports
      .filter(({ ours }) => ours)
      .filter(({ from, to, typesOnly }) => {
        const [importer, imported] = [layerOf(from), layerOf(to)];
        const allowed = [importer, ...(MAY_IMPORT[importer] ?? []), ...(typesOnly ? (MAY_IMPORT_TYPES[importer] ?? []) : [])];
        return !allowed.includes(imported) && !allowed.includes(to);
      });
    expect(wrong.map(({ from, to, typesOnly }) => `${from} → ${to}${typesOnly ? ' (types)' : ''}`)).toEqual([]);
  });

  test('name files that exist, with their ending', () => {
    const wrong = imports.filter(({ ours, to }) => ours && !existsSync(join(ROOT, to)));
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('make no cycle', () => {
    expect(findCycle()).toEqual([]);
  });

  test('of an outside package are in the one file that owns it', () => {
    const outside = imports.filter(({ ours, to }) => !ours && !to.startsWith('node:') && !to.startsWith('virtual:'));
    const wrong = outside.filter(({ from, to }) => {
      const owner = OWNERS[packageOf(to)];
      return owner === undefined || !(owner.endsWith('/') ? from.startsWith(owner) : from === owner);
    });
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
    const used = new Set(outside.map(({ to }) => packageOf(to)));
    expect(Object.keys(OWNERS).filter((name) => !used.has(name))).toEqual([]);
  });

  test("of Node's own modules are in the open node only", () => {
    const wrong = imports.filter(({ from, to }) => to.startsWith('node:') && !from.startsWith('signal-server/'));
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  test('were really read', () => {
    expect(files.size).toBeGreaterThan(40);
    expect(imports.filter(({ ours }) => ours).length).toBeGreaterThan(files.size);
    for (const path of files.keys()) expect(Object.keys(MAY_IMPORT)).toContain(layerOf(path));
  });
});

describe('the core', () => {
  test('takes time, randomness and the platform from ports alone', () => {
    const wrong = [...files]
      .filter(([path]) => CORE.includes(layerOf(path)))
      .flatMap(([path, text]) =>
        linesOf(text).flatMap((line, index) => (NOT_IN_CORE.test(line) ? `${path}:${index + 1} ${line.trim()}` : [])),
      );
    expect(wrong).toEqual([]);
  });
});

describe('every file', () => {
  test(`has at most ${MAX_LINES} lines`, () => {
    const long = [...files].map(([path, text]) => ({ path, lines: text.split('\n').length })).filter(({ lines }) => lines > MAX_LINES);
    expect(long).toEqual([]);
  });

  test('says what it exports', () => {
    expect([...files].flatMap(([path, text]) => undocumented(path, text))).toEqual([]);
  });

  test('is finished, and knows nothing of the machine that it was written on', () => {
    const marks = [/\b(TO[D]O|FIX[M]E|XX[X])\b/, /(?<![\w.:/])\/(work|root|home|Users)\//, /registry\.np[m]js|registry\.yarn[p]kg/];
    const wrong = filesUnder('').flatMap((path) =>
      readFileSync(join(ROOT, path), 'utf8')
        .split('\n')
        .flatMap((line, index) => (marks.some((mark) => mark.test(line)) ? `${path}:${index + 1} ${line.trim().slice(0, 100)}` : [])),
    );
    expect(wrong).toEqual([]);
    expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved"/);
  });
});

/** `src/node/link.ts` is in `node`, `src/main.tsx` in `main`, everything below signal-server/ in `signal-server`. */
function layerOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  return top === 'src' ? second.replace(/\.\w+$/, '') : top;
}

function importsOf(from: string, text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  const add = (name: string, typesOnly: boolean): void => {
    const ours = name.startsWith('.');
    const to = ours ? relative(ROOT, join(ROOT, dirname(from), name.split('?', 1)[0] as string)) : name;
    if (!to.endsWith('.css')) found.push({ from, to, ours, typesOnly });
  };
  for (const [, type, names = '', name = ''] of code.matchAll(/^(?:import|export)\s(type\s)?([^'";]*?)\sfrom\s'([^']+)'/gm)) {
    const inBraces = /^\{([^}]*)\}$/.exec(names.trim())?.[1];
    const eachIsType = inBraces?.split(',').every((one) => one.trim() === '' || one.trim().startsWith('type '));
    add(name, Boolean(type) || eachIsType === true);
  }
  for (const [, name = ''] of code.matchAll(/^import\s'([^']+)'/gm)) add(name, false);
  for (const [, name = ''] of code.matchAll(/\bimport\(\s*'([^']+)'/g)) add(name, false);
  for (const [, name = ''] of code.matchAll(/new URL\(\s*'(\.[^']+\.tsx?)',\s*import\.meta\.url/g)) add(name, false);
  return found;
}

/** The first cycle found, as a list of files; empty when there is none. */
function findCycle(): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, ours } of imports) if (ours) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const to of next.get(path) ?? []) {
      const cycle = visit(to, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const path of files.keys()) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

function packageOf(name: string): string {
  // What follows a `?` says how the build brings it.
  return (name.split('?')[0] as string).split('/', name.startsWith('@') ? 2 : 1).join('/');
}

/**
 * Exports without a doc comment directly above them. What stands for one: the file's own comment, for the noun that the file is named after
 * (`Link`, `LinkOptions` and `createLink` in link.ts) and for an only one; the noun's comment, for what makes it; comments on fields or
 * variants, for a type that is nothing but them; the type, for the schema of it. `export … from` repeats what is documented elsewhere.
 */
function undocumented(path: string, text: string): string[] {
  const lines = text.split('\n');
  const exported = lines.flatMap((line, index) => {
    const name = /^export (?:default )?(?:abstract )?(?:async )?(?:function\*?|const|let|class|interface|type)\s+(\w+)/.exec(line)?.[1];
    return name ? [{ name, index }] : [];
  });
  const headed = text.startsWith('/**');
  const isOnlyNoun = new Set(exported.map(({ name }) => nounOf(name))).size === 1;
  const documented = ({ name, index }: { name: string; index: number }): boolean =>
    /\*\/\s*$/.test(lines[index - 1] ?? '') ||
    (headed && (isOnlyNoun || nounOf(name) === fileNoun(path) || `${nounOf(name)}s` === fileNoun(path))) ||
    partsAreDocumented(lines, index) ||
    /^export const \w+Schema: Schema</.test(lines[index] as string);
  const nouns = new Set(exported.filter(documented).map(({ name }) => name.toLowerCase()));
  return exported
    .filter((one) => !documented(one) && !nouns.has(nounOf(one.name)))
    .map(({ name, index }) => `${path}:${index + 1} ${name}`);
}

/** `createLink`, `LinkOptions` and `Link` are about one noun. */
function nounOf(name: string): string {
  return name
    .replace(/^(create|open|host|start)(?=[A-Z])/, '')
    .replace(/(Options|Props)$/, '')
    .toLowerCase();
}

function fileNoun(path: string): string {
  return basename(path)
    .replace(/\.\w+$/, '')
    .replaceAll(/[-.]/g, '')
    .toLowerCase();
}

/** Whether a type has a comment inside, so that who reads the type reads what it means. */
function partsAreDocumented(lines: readonly string[], start: number): boolean {
  const first = lines[start] as string;
  if (!/^export (interface|type) /.test(first)) return false;
  for (let i = start + 1; i < lines.length && !/^(\}|$)/.test(lines[i] as string); i++)
    if (/^ {2,}\/\*\*/.test(lines[i] as string)) return true;
  return false;
}

/** Lines with comments and strings taken out, so that only code is judged. */
function linesOf(text: string): string[] {
  return withoutComments(text)
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .split('\n');
}

/** Keeps the line breaks, so that line numbers stay true. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, '')).replace(/(^|\s)\/\/.*$/gm, '$1');
}

/** Paths from the root of all files that belong to the project. */
function filesUnder(folder: string): string[] {
  const left = new Set(['node_modules', 'dist', '.git', 'coverage', '.cache']);
  const text = /\.(ts|tsx|mjs|js|json|css|html|md|svg|webmanifest|tla)$|(^|\/)(run|LICENSE|\.\w+)$/;
  const found: string[] = [];
  const walk = (inside: string): void => {
    for (const entry of readdirSync(join(ROOT, inside), { withFileTypes: true })) {
      const path = inside === '' ? entry.name : `${inside}/${entry.name}`;
      if (entry.isDirectory() && !left.has(entry.name)) walk(path);
      else if (entry.isFile() && text.test(path)) found.push(path);
    }
  };
  walk(folder);
  return found;
}
