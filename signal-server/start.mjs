/** `npm start`: installs what is missing, builds what has changed, and runs the open node with the site. */
import { createServer } from 'node:net';
import { pathToFileURL } from 'node:url';
import { build, checkNode, giveUp, installPackages, SERVER } from './prepare.mjs';

checkNode();
await checkPort(Number(process.env.PORT || 8080)); // before the half minute of installing, not after it
installPackages({ tests: false });
build();
await import(pathToFileURL(SERVER).href);

/** Ends the process when the port is taken. What else may be wrong with it, the open node says. */
function checkPort(port) {
  if (!Number.isInteger(port) || port <= 0 || port > 65_535) return null;
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => {
      if (error.code !== 'EADDRINUSE') return resolve(null);
      giveUp(`Port ${port} is in use by another program. End that program, or choose another port: PORT=${port + 1} npm start`);
    });
    probe.listen({ port, ...(process.env.HOST && { host: process.env.HOST }) }, () => probe.close(() => resolve(null)));
  });
}
