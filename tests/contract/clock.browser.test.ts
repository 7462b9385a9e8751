import { browserClock } from '../../src/browser/clock.ts';
import { browserRandom } from '../../src/browser/random.ts';
import { clockContract, randomContract } from './clock.ts';

clockContract('a tab', browserClock);
randomContract('a tab', browserRandom);
