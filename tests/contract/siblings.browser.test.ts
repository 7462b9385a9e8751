import { createSiblings } from '../../src/browser/siblings.ts';
import { siblingsContract } from './siblings.ts';

siblingsContract('BroadcastChannel', createSiblings);
