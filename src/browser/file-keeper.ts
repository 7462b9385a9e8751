/** The FileKeeper port in IndexedDB: a handle where the browser gave one, else a small file itself. And where files with handles come from. */
import { fail } from '../base/errors.ts';
import type { FileKeeper, SourceFile } from '../base/ports.ts';
import { type Database, openDatabase } from './idb.ts';

/**
 * Bytes of a file without a handle that is kept whole, and the part of the free space that it may take: it is there once more while it is
 * published. A larger one is chosen again, which costs a person less than the space.
 */
const MOST_KEPT = 256 * 1024 * 1024;
const SHARE_OF_FREE = 0.1;
/** Handles that are remembered until somebody keeps their file. */
const MOST_HANDLES = 16;

const DATABASE = 'kadreel-files';
const TABLE = 'files';

/** What TypeScript does not know yet (WICG File System Access). */
interface Handle extends FileSystemFileHandle {
  queryPermission?(options: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(options: { mode: 'read' }): Promise<PermissionState>;
}
type Picking = { showOpenFilePicker?(options: object): Promise<readonly FileSystemFileHandle[]> };
type Dropped = { getAsFileSystemHandle?(): Promise<FileSystemHandle | null> };

export interface BrowserFiles extends FileKeeper {
  /** Whether `pick` can be called. */
  readonly canPick: boolean;
  /** Lets the person choose a file; null when they think better of it. To be called from a press. */
  pick(): Promise<File | null>;
  /** The first file that was dropped; to be called in the event. */
  dropped(transfer: DataTransfer): Promise<File | null>;
  /** The file behind a handle, which is remembered with it. */
  adopt(handle: FileSystemFileHandle): Promise<File>;
}

export function createFileKeeper(options: { name?: string } = {}): BrowserFiles {
  const handles = new Map<string, FileSystemFileHandle>();
  let opening: Promise<Database> | null = null;
  /** Opened when it is needed first, and again when that failed. */
  const database = (): Promise<Database> => {
    opening ??= openDatabase({ name: options.name ?? DATABASE, tables: [TABLE] });
    opening.catch(() => {
      opening = null;
    });
    return opening;
  };

  const read = async (name: string): Promise<Handle | File | null> => {
    const value: unknown = await (await database()).run([TABLE], 'readonly', (tx) => tx.objectStore(TABLE).get(name));
    if (value instanceof File) return value;
    return value instanceof FileSystemFileHandle ? value : null;
  };

  const adopt = async (handle: FileSystemFileHandle): Promise<File> => {
    const file = await handle.getFile();
    handles.delete(nameOf(file));
    handles.set(nameOf(file), handle);
    for (const oldest of handles.keys()) if (handles.size > MOST_HANDLES) handles.delete(oldest);
    return file;
  };

  return {
    async keep(name, file) {
      try {
        const value = handles.get(nameOf(file)) ?? (await smallEnough(file));
        if (value) await (await database()).run([TABLE], 'readwrite', (tx) => tx.objectStore(TABLE).put(value, name));
        return value !== null;
      } catch {
        return false; // The disk is full, or the browser does not keep such things.
      }
    },
    async state(name) {
      const value = await read(name).catch(() => null);
      if (value === null) return 'none';
      if (value instanceof File || !value.queryPermission) return 'ready';
      return (await value.queryPermission({ mode: 'read' })) === 'granted' ? 'ready' : 'asks';
    },
    async open(name) {
      const value = await read(name);
      if (value === null) throw fail('not-found', 'The browser has not kept the way to this file. Choose it again.');
      if (value instanceof File) return value;
      const granted = value.requestPermission ? await value.requestPermission({ mode: 'read' }) : 'granted';
      if (granted !== 'granted')
        throw fail('refused', `The browser may not read “${value.name}” again. Press “Go on” and allow it, or choose the file again.`);
      try {
        return await adopt(value);
      } catch (error) {
        throw fail('not-found', `“${value.name}” is no longer where it was. Choose it again.`, error);
      }
    },
    async remove(name) {
      try {
        await (await database()).run([TABLE], 'readwrite', (tx) => tx.objectStore(TABLE).delete(name));
      } catch {
        // It takes space until the site's data is cleared.
      }
    },
    canPick: 'showOpenFilePicker' in globalThis,
    async pick() {
      try {
        const [handle] = (await (globalThis as Picking).showOpenFilePicker?.({ types: [VIDEOS] })) ?? [];
        return handle ? await adopt(handle) : null;
      } catch (error) {
        if (error instanceof DOMException && error.name === 'AbortError') return null;
        throw error;
      }
    },
    async dropped(transfer) {
      const item = [...transfer.items].find(({ kind }) => kind === 'file') as (DataTransferItem & Dropped) | undefined;
      const file = item?.getAsFile() ?? null;
      const handle = await item?.getAsFileSystemHandle?.().catch(() => null);
      return handle instanceof FileSystemFileHandle ? adopt(handle).catch(() => file) : file;
    },
    adopt,
  };
}

/** Browsers fill in the usual endings of a kind themselves; these are the ones that some don't know. */
const VIDEOS = {
  description: 'Videos',
  accept: { 'video/*': ['.mp4', '.m4v', '.mkv', '.mov', '.avi', '.ts', '.m2ts', '.webm'], 'audio/*': ['.m4a', '.mp3', '.ogg', '.wav'] },
};

/** The input of a form gives the same file as another object. */
function nameOf({ name, size, lastModified = 0 }: SourceFile): string {
  return `${name}/${size}/${lastModified}`;
}

async function smallEnough(file: SourceFile): Promise<File | null> {
  if (!(file instanceof File) || file.size > MOST_KEPT) return null;
  const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
  return file.size <= SHARE_OF_FREE * (quota - usage) ? file : null;
}
