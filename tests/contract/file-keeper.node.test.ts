import { createMemoryFiles } from '../unit/app/memory-files.ts';
import { fileKeeperContract } from './file-keeper.ts';

const files = createMemoryFiles();
fileKeeperContract('memory', { open: () => files.keeper, file: async (name, bytes) => new File([new Uint8Array(bytes)], name) });
