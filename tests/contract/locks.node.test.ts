import { createMemoryLocks } from '../unit/app/memory-locks.ts';
import { locksContract } from './locks.ts';

const browser = createMemoryLocks();
locksContract('memory', () => browser.tab());
