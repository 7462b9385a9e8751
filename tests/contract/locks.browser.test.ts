import { createLocks } from '../../src/browser/locks.ts';
import { locksContract } from './locks.ts';

locksContract('Web Locks', createLocks);
