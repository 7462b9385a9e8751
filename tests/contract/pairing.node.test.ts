import { seededRandom } from '../sim/random.ts';
import { createMemoryPairers } from '../unit/node/support/memory-pairer.ts';
import { pairerContract } from './pairing.ts';

const clock = {
  now: () => performance.now(),
  after(ms: number, run: () => void) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

pairerContract('memory', {
  create() {
    const network = createMemoryPairers({ clock, random: seededRandom(1) });
    return [network.create(), network.create()];
  },
  carry: (endpoint) => endpoint,
});
