/** The disk of a tab or a service worker: IndexedDB, by the idb package. */
import { type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import type { Bytes } from '../base/bytes.ts';
import { fail, KadreelError } from '../base/errors.ts';
import { STORE_TABLES, type Store } from '../base/ports.ts';

/** How long another tab's older version may hold up our opening (ms). It is told to close at once; a frozen tab never hears it. */
const BLOCKED_TIMEOUT = 10_000;
/** Bytes to count on where the browser says nothing about its quota: what the smallest ones grant. */
const UNKNOWN_GRANT = 50 * 1024 * 1024;
/** Raised when tables are added. */
const SCHEMA_VERSION = 1;

/** The database that a site's tabs and their service worker share. */
const SITE_DATABASE = 'kadreel';

/** The Store port over one IndexedDB database. Rejects with `missing-feature` where the browser keeps nothing on disk. */
export async function openIdbStore(options: { name?: string } = {}): Promise<Store> {
  const database = await openDatabase({ name: options.name ?? SITE_DATABASE, tables: STORE_TABLES });
  return {
    get: (table, key) => database.run([table], 'readonly', async (tx) => bytesOrNull(await tx.objectStore(table).get(key))),
    async write(changes) {
      const tables = [...new Set(changes.map((change) => change.table))];
      if (tables.length === 0) return;
      await database.run(tables, 'readwrite', async (tx) => {
        const requests = changes.map(({ table, key, value }) => {
          const objects = tx.objectStore(table);
          return value === null ? objects.delete?.(key) : objects.put?.(trimmed(value), key);
        });
        await Promise.all(requests);
      });
    },
    update: (table, key, change) =>
      database.run([table], 'readwrite', async (tx) => {
        const objects = tx.objectStore(table);
        const next = change(bytesOrNull(await objects.get(key)));
        await (next === null ? objects.delete?.(key) : objects.put?.(trimmed(next), key));
        return next;
      }),
    entries: (table, prefix = '') =>
      database.run([table], 'readonly', async (tx) => {
        const objects = tx.objectStore(table);
        const [keys, values] = await Promise.all([objects.getAllKeys(startingWith(prefix)), objects.getAll(startingWith(prefix))]);
        return keys.flatMap((key, index) => {
          const value = bytesOrNull(values[index]);
          return value === null ? [] : [[String(key), value] as const];
        });
      }),
    keys: (table, prefix = '') =>
      database.run([table], 'readonly', async (tx) => (await tx.objectStore(table).getAllKeys(startingWith(prefix))).map(String)),
    async capacity() {
      const estimate = await globalThis.navigator?.storage?.estimate?.().catch(() => null);
      return { granted: estimate?.quota ?? UNKNOWN_GRANT, used: estimate?.usage ?? 0 };
    },
    close: () => database.close(),
  };
}

type Transaction<Mode extends IDBTransactionMode> = IDBPTransaction<unknown, string[], Mode>;

/** A database of plain key-value tables that hold whatever a structured clone can. */
export interface Database {
  /**
   * `work` in one transaction: all of it happened when the promise resolves, nothing when it rejects. It must wait for nothing but
   * requests of its transaction. Rejects with what `work` threw, `quota`, `closed` or `internal`.
   */
  run<T, Mode extends 'readonly' | 'readwrite'>(
    tables: readonly string[],
    mode: Mode,
    work: (transaction: Transaction<Mode>) => Promise<T>,
  ): Promise<T>;
  close(): void;
}

/** Opens it, and opens it again when the browser has ended the connection (it does when the person clears the site's data). */
export async function openDatabase(options: { name: string; tables: readonly string[] }): Promise<Database> {
  let closed: KadreelError | null = null;
  let connection: Promise<IDBPDatabase> | null = null;

  const connect = (): Promise<IDBPDatabase> => {
    connection ??= open(options, {
      outdated() {
        closed = newerVersion();
        void connection?.then((database) => database.close());
      },
      lost() {
        connection = null;
      },
    }).catch((error: unknown) => {
      connection = null;
      throw error;
    });
    return connection;
  };

  await connect();
  return {
    async run(tables, mode, work) {
      if (closed) throw closed;
      const database = await connect();
      if (closed) throw closed;
      try {
        return await transact({ database, tables, mode, work });
      } catch (error) {
        if (isDomException(error, 'InvalidStateError')) connection = null; // the browser has ended it; the next call opens it again
        throw storageError(error, closed);
      }
    },
    close() {
      if (closed) return;
      closed = fail('closed', 'The store has been closed.');
      connection?.then(
        (database) => database.close(),
        () => undefined,
      );
    },
  };
}

async function transact<T, Mode extends 'readonly' | 'readwrite'>(options: {
  database: IDBPDatabase;
  tables: readonly string[];
  mode: Mode;
  work: (transaction: Transaction<Mode>) => Promise<T>;
}): Promise<T> {
  // Relaxed: done when the system has the bytes. A power cut may take the last seconds with it, a crash of the browser not.
  const tx = options.database.transaction([...options.tables], options.mode, { durability: 'relaxed' });
  const done = tx.done.then(
    () => null,
    (error: unknown) => error ?? fail('internal', 'The browser ended a storage transaction without a reason.'),
  );
  try {
    const result = await options.work(tx);
    const problem = await done;
    if (problem !== null) throw problem;
    return result;
  } catch (error) {
    try {
      tx.abort();
    } catch {
      // It has ended already.
    }
    // A request that failed only says that its transaction was aborted; the transaction says why.
    const cause = await done;
    throw isDomException(error, 'AbortError') && cause !== null ? cause : error;
  }
}

function open(
  options: { name: string; tables: readonly string[] },
  events: { outdated: () => void; lost: () => void },
): Promise<IDBPDatabase> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(
        fail(
          'timeout',
          'The browser’s storage did not open: another tab of this site holds it. Close the other tabs, then reload this page.',
        ),
      );
    }, BLOCKED_TIMEOUT);
    const unusable = (error: unknown): void => {
      clearTimeout(timer);
      if (isDomException(error, 'VersionError')) reject(newerVersion());
      reject(
        fail(
          'missing-feature',
          'This browser does not let the page keep anything on disk (a private window, or storage is switched off or full). Use an ordinary window, or allow storage for this site.',
          error,
        ),
      );
    };
    try {
      openDB(options.name, SCHEMA_VERSION, {
        upgrade(database) {
          for (const table of options.tables) if (!database.objectStoreNames.contains(table)) database.createObjectStore(table);
        },
        blocking: events.outdated,
        terminated: events.lost,
      }).then((database) => {
        clearTimeout(timer);
        if (late) database.close();
        else resolve(database);
      }, unusable);
    } catch (error) {
      unusable(error);
    }
  });
}

/** The range of keys that start with `prefix`, or undefined for all. Keys order by code unit, so its end is the prefix with its last one raised. */
function startingWith(prefix: string): IDBKeyRange | undefined {
  let end = prefix.length;
  while (end > 0 && prefix.charCodeAt(end - 1) === 0xffff) end--;
  if (end === 0) return prefix === '' ? undefined : IDBKeyRange.lowerBound(prefix);
  const after = prefix.slice(0, end - 1) + String.fromCharCode(prefix.charCodeAt(end - 1) + 1);
  return IDBKeyRange.bound(prefix, after, false, true);
}

/** Bytes with a buffer of just their length: a structured clone of a view takes the whole buffer with it. */
function trimmed(bytes: Bytes): Bytes {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
}

function bytesOrNull(value: unknown): Bytes | null {
  return value instanceof Uint8Array ? (value as Bytes) : null;
}

function isDomException(error: unknown, name: string): error is DOMException {
  return error instanceof DOMException && error.name === name;
}

function newerVersion(): KadreelError {
  return fail('closed', 'A newer version of Kadreel is open in another tab. Reload this page.');
}

function storageError(error: unknown, closed: KadreelError | null): unknown {
  if (error instanceof KadreelError || !(error instanceof DOMException)) return error;
  if (error.name === 'QuotaExceededError') {
    return fail('quota', 'The disk, or this site’s share of it, is full. Free some space, or remove videos that you keep.', error);
  }
  if (closed) return closed;
  if (error.name === 'InvalidStateError' || error.name === 'AbortError')
    return fail('closed', 'The browser closed the page’s storage. Reload the page.', error);
  return fail('internal', `The browser’s storage failed: ${error.message || error.name}`, error);
}
