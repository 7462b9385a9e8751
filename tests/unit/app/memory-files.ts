/** The FileKeeper port of one made-up browser. */
import { fail } from '../../../src/base/errors.ts';
import type { FileKeeper, SourceFile } from '../../../src/base/ports.ts';

export interface MemoryFiles {
  readonly keeper: FileKeeper;
  readonly kept: Map<string, SourceFile>;
  /** `forgets`: there are no handles here · `asks`: the person is asked after each start, and says `answer`. */
  manner: 'ready' | 'asks' | 'forgets';
  answer: 'yes' | 'no';
}

export function createMemoryFiles(manner: MemoryFiles['manner'] = 'ready'): MemoryFiles {
  const kept = new Map<string, SourceFile>();
  const files: MemoryFiles = {
    kept,
    manner,
    answer: 'yes',
    keeper: {
      async keep(name, file) {
        if (files.manner === 'forgets') return false;
        kept.set(name, file);
        return true;
      },
      async state(name) {
        if (!kept.has(name) || files.manner === 'forgets') return 'none';
        return files.manner;
      },
      async open(name) {
        const file = kept.get(name);
        if (!file) throw fail('not-found', 'The file is gone. Choose it again.');
        if (files.manner === 'asks' && files.answer === 'no') throw fail('refused', 'The page may not read the file.');
        return file;
      },
      async remove(name) {
        kept.delete(name);
      },
    },
  };
  return files;
}
