/**
 * One network of the simulator's bench, in a process of its own: `{ run, nodes, seed, only, … }` as JSON in, progress on stderr; out come lines of JSON,
 * `{ known }` for each part that is done and `{ result }` in the end.
 */
import events from 'node:events';
import { fileURLToPath } from 'node:url';

events.defaultMaxListeners = 256; // a node that closes ends all its calls by one signal: only more than these are a leak
const { runnerImport } = await import('vite');
const { module } = await runnerImport(fileURLToPath(new URL('parts.ts', import.meta.url)), { configFile: false, logLevel: 'error' });
const { run, ...options } = JSON.parse(process.argv[2]);
const say = (line) => console.log(JSON.stringify(line));
const result = await module.measure(run, { ...options, tell: (line) => console.error(`  ${line}`), known: (known) => say({ known }) });
say({ result });
