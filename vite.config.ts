import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip, gzipSync } from 'node:zlib';
import { build, defineConfig, type Plugin, type Rolldown } from 'vite';
import solid from 'vite-plugin-solid';
import packageJson from './package.json' with { type: 'json' };

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const TARGET = 'es2022';
const define = { __KADREEL_VERSION__: JSON.stringify(packageJson.version) };

/** The same isolation as the open node gives in production: threads need it. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** `vite build` makes the site, `vite build --ssr signal-server/main.ts` the open node. */
export default defineConfig(({ isSsrBuild }) =>
  isSsrBuild
    ? {
        root: ROOT,
        publicDir: false,
        define,
        build: { outDir: join(ROOT, 'dist/server'), emptyOutDir: true, target: 'node20', minify: false, reportCompressedSize: false },
      }
    : {
        root: join(ROOT, 'src'),
        publicDir: join(ROOT, 'public'),
        define,
        plugins: [solid(), serviceWorker(), sizeReport(), compressed()],
        worker: { format: 'es' },
        server: { headers: ISOLATION, proxy: { '/ws': { target: 'ws://localhost:8080', ws: true } } },
        preview: { headers: ISOLATION },
        build: {
          outDir: join(ROOT, 'dist/site'),
          emptyOutDir: true,
          target: TARGET,
          // The content security policy lets no data: address be a font or a script, so nothing is inlined.
          assetsInlineLimit: 0,
          reportCompressedSize: false,
          chunkSizeWarningLimit: 2000,
          rolldownOptions: { checks: { bundlerTimings: false } }, // advice that whoever starts a node can't use
        },
      },
);

/** Never kept for offline use: too large for something that most visits do not need. */
const NOT_PRECACHED = /\.(wasm|map)$|ffmpeg-core/;

/**
 * Builds `src/worker/service-worker.ts` into one self-contained `/sw.js`. In it `self.__WB_MANIFEST` is the list of the site's
 * files, `{ url, revision }[]`; `revision` is null where the name holds a hash of the contents already.
 */
function serviceWorker(): Plugin {
  return {
    name: 'kadreel:service-worker',
    apply: 'build',
    async writeBundle({ dir: site = '' }) {
      const files = filesUnder(site)
        .map((path) => ({ path, url: `/${relative(site, path).split(sep).join('/')}` }))
        .filter(({ url }) => !NOT_PRECACHED.test(url))
        .map(({ path, url }) => ({ url, revision: url.startsWith('/assets/') ? null : revisionOf(path) }));
      await build({
        configFile: false,
        logLevel: 'warn',
        root: join(ROOT, 'src'),
        publicDir: false,
        define: { ...define, 'self.__WB_MANIFEST': JSON.stringify(files) },
        build: {
          outDir: site,
          emptyOutDir: false,
          target: TARGET,
          reportCompressedSize: false,
          rolldownOptions: {
            input: join(ROOT, 'src/worker/service-worker.ts'),
            output: { format: 'iife', entryFileNames: 'sw.js' },
          },
        },
      });
    },
  };
}

/** Prints what a first visit loads, gzipped, and writes it beside the site, to `bundle-size.json`, for the test that holds it. */
function sizeReport(): Plugin {
  return {
    name: 'kadreel:size-report',
    apply: 'build',
    writeBundle({ dir: site = '' }, bundle) {
      const first = new Set<string>();
      for (const output of Object.values(bundle)) if (output.type === 'chunk' && output.isEntry) addWithImports(bundle, output, first);
      const gzipped = (names: Iterable<string>): number => {
        let total = 0;
        for (const name of names) total += gzipSync(readFileSync(join(site, name))).length;
        return total;
      };
      const scripts = gzipped(first);
      const styles = gzipped(Object.keys(bundle).filter((name) => name.endsWith('.css')));
      const later = gzipped(Object.keys(bundle).filter((name) => name.endsWith('.js') && !first.has(name)));
      writeFileSync(join(site, '../bundle-size.json'), `${JSON.stringify({ unit: 'bytes, gzip', scripts, styles, later }, null, 2)}\n`);
      const kB = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
      console.log(`first visit, gzip: scripts ${kB(scripts)}, styles ${kB(styles)}; loaded when needed: scripts ${kB(later)}`);
    },
  };
}

function addWithImports(bundle: Rolldown.OutputBundle, chunk: Rolldown.OutputChunk, into: Set<string>): void {
  if (into.has(chunk.fileName)) return;
  into.add(chunk.fileName);
  for (const name of chunk.imports) {
    const imported = bundle[name];
    if (imported?.type === 'chunk') addWithImports(bundle, imported, into);
  }
}

const COMPRESSED = new Set(['.js', '.css', '.html', '.svg', '.wasm', '.json', '.webmanifest']);
/** Below this a compressed file saves nothing on the network. */
const MIN_COMPRESSED_BYTES = 1024;
/** Of 11. Small files: 2% larger than at 11 in half the time. 32 MB of wasm: 1.8 s of processor; 1 MB more at 3, a minute at 11. */
const BROTLI_QUALITY = { small: 10, large: 5 };
const LARGE_BYTES = 2 * 1024 * 1024;

/** Puts a `.br` and a `.gz` beside each file that shrinks, so that the open node never compresses while it serves. */
function compressed(): Plugin {
  return {
    name: 'kadreel:compressed',
    apply: 'build',
    writeBundle: {
      order: 'post', // after sw.js exists
      sequential: true,
      async handler({ dir: site = '' }) {
        const files = filesUnder(site).filter((path) => COMPRESSED.has(extname(path)));
        await Promise.all(files.map(compressFile));
      },
    },
  };
}

async function compressFile(path: string): Promise<void> {
  const bytes = readFileSync(path);
  if (bytes.length < MIN_COMPRESSED_BYTES) return;
  const large = bytes.length >= LARGE_BYTES;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: large ? BROTLI_QUALITY.large : BROTLI_QUALITY.small,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  const write = (ending: string, shrunk: Buffer): void => {
    if (shrunk.length < bytes.length) writeFileSync(path + ending, shrunk);
  };
  const brotli = promisify(brotliCompress)(bytes, { params }).then((shrunk) => write('.br', shrunk));
  // Wherever the page can run (https: or localhost) brotli is taken: gzip of the large ones would only cost the builder's time.
  if (!large) write('.gz', await promisify(gzip)(bytes));
  await brotli;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => resolve(entry.parentPath, entry.name))
    .sort();
}

function revisionOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16);
}
