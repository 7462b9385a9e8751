/** `npm run sim -- --nodes 300 --seed 7 --scenario churn --trace`: a network in virtual time, told in lines that a person can read. */
import events from 'node:events';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../../signal-server/prepare.mjs';

events.defaultMaxListeners = 256; // a node that closes ends all its calls by one signal: only more than these are a leak
installPackages({ tests: true });
const { runnerImport } = await import('vite');
const { module } = await runnerImport(fileURLToPath(new URL('cli.ts', import.meta.url)), { configFile: false, logLevel: 'error' });
process.exitCode = await module.runSimulator(process.argv.slice(2)).catch((error) => {
  console.error(`\n${error.stack ?? error}`);
  return 1;
});
