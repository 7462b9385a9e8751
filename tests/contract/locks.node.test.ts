import { createLocks } from '../../src/browser/locks.ts';
import { createMemoryLocks } from '../unit/app/memory-locks.ts';
import { locksContract } from './locks.ts';

const browser = createMemoryLocks();
locksContract('memory', () => browser.tab());

// Without Web Locks there is one tab alone, and it waits for itself.
const own = createLocks();
locksContract('without Web Locks', () => own);
