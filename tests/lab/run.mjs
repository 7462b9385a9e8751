/**
 * `npm run lab -- [--only pairs,homes] [--tries 20] [--json] [--write]`: real browsers in homes behind real NATs, in network namespaces of
 * this machine. Needs Linux and root. Plain JavaScript, as nothing may be installed yet.
 */
import { fileURLToPath } from 'node:url';
import { installPackages } from '../../signal-server/prepare.mjs';

installPackages({ tests: true });
const { runnerImport } = await import('vite');
const { module } = await runnerImport(fileURLToPath(new URL('lab.ts', import.meta.url)), { configFile: false, logLevel: 'error' });
// Whatever still hangs must not keep a lab open that is done.
process.exit(
  await module.runLab(process.argv.slice(2)).catch((error) => {
    console.error(`\n${error.stack ?? error}`);
    return 1;
  }),
);
