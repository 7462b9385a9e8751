import { createMemorySiblings } from '../unit/app/memory-siblings.ts';
import { siblingsContract } from './siblings.ts';

const browser = createMemorySiblings();
siblingsContract('memory', () => browser.tab());
