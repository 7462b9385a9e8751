/** `npm run sim -- --nodes 300 --seed 7 --scenario churn --trace`: a network in virtual time, told in lines that a person can read. */
import { fileURLToPath } from 'node:url';
import { installPackages } from '../../signal-server/prepare.mjs';

installPackages({ tests: true });
const { runnerImport } = await import('vite');
const { module } = await runnerImport(fileURLToPath(new URL('cli.ts', import.meta.url)), { configFile: false, logLevel: 'error' });
process.exitCode = await module.runSimulator(process.argv.slice(2)).catch((error) => {
  console.error(`\n${error.stack ?? error}`);
  return 1;
});
