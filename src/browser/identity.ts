/**
 * Who this tab is, over reloads. Tabs of one browser are several nodes on one disk: a pool of node keys lies in IndexedDB, and a
 * tab claims one by a Web Lock that it holds as long as its page lives.
 */
import { type Bytes, toHex } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type { Sealer, Signer } from '../base/ports.ts';
import { createSigner, generateKeyPair } from './crypto.ts';
import { type Database, openDatabase } from './idb.ts';
import { asNodeKeys, generateNodeKeys, type NodeKeys } from './node-keys.ts';
import { browserRandom } from './random.ts';
import { createSealer } from './seal.ts';

/** A reload may start before the old page has let go of its lock (ms). A duplicated tab waits this long in vain, once. */
const RELOAD_OVERLAP = 1000;
const STORE_ID_BYTES = 16;
const DEVICE_BYTES = 8;
/** The name of this tab's node in sessionStorage, which a reload keeps and a duplicated tab gets a copy of. */
const SESSION_KEY = 'kadreel-node';

export interface Identity {
  /** The node's key; its private half can't be read, by us or by anybody. */
  readonly signer: Signer;
  /** Of the same key. */
  readonly sealer: Sealer;
  /** 32 bytes: `signer`'s. */
  readonly publicKey: Bytes;
  /** 16 random bytes, the same for all tabs on this disk. */
  readonly storeId: Bytes;
  /** The account of this browser's person: one for all tabs, extractable so that it can be backed up. */
  readonly account: Signer;
  /** 16 hexadecimal digits: this disk in the account's vector clocks. */
  readonly device: string;
  /** Lets another tab be this node. The browser does the same when the page goes. Idempotent. */
  release(): void;
}

interface Disk {
  readonly storeId: Bytes;
  readonly device: string;
}

/** Claims or makes an identity. Rejects with `missing-feature` where the browser keeps nothing on disk, or has no locks or no Ed25519. */
export async function openIdentity(options: { name?: string } = {}): Promise<Identity> {
  const name = options.name ?? 'kadreel-identity';
  const locks = globalThis.navigator?.locks;
  if (!locks) {
    throw fail(
      'missing-feature',
      'This page can’t tell its tabs apart, because its address is not secure. Open it by https:// or on localhost.',
    );
  }
  const database = await openDatabase({ name, tables: ['nodes', 'browser'] });
  try {
    // One after the other: Ed25519 is tried before anything is written.
    const account = await settled(database, 'account', () => generateKeyPair(true));
    const disk = await settled<Disk>(database, 'disk', async () => ({
      storeId: browserRandom.bytes(STORE_ID_BYTES),
      device: toHex(browserRandom.bytes(DEVICE_BYTES)),
    }));
    const node = await claim({ database, locks, name });
    keepDisk();
    const signer = await createSigner(node.keys.signing);
    const sealer = createSealer(node.keys.sealing);
    return { signer, sealer, publicKey: signer.publicKey, ...disk, account: await createSigner(account), release: node.release };
  } finally {
    database.close();
  }
}

/** The one value of this name: what is there, or what `make` makes. Of several tabs at once the first to write wins for all. */
async function settled<T>(database: Database, name: string, make: () => Promise<T>): Promise<T> {
  const read = (): Promise<T | undefined> => database.run(['browser'], 'readonly', (tx) => tx.objectStore('browser').get(name));
  const present = await read();
  if (present !== undefined) return present;
  const made = await make(); // a transaction does not live through this
  return database.run(['browser'], 'readwrite', async (tx) => {
    const other: T | undefined = await tx.objectStore('browser').get(name);
    if (other !== undefined) return other;
    await tx.objectStore('browser').put?.(made, name);
    return made;
  });
}

async function claim(options: { database: Database; locks: LockManager; name: string }): Promise<{ keys: NodeKeys; release: () => void }> {
  const { database, locks, name } = options;
  const hold = (id: string, wait: LockOptions): Promise<(() => void) | null> => holdLock(locks, `${name}/${id}`, wait);
  const read = async (id: string): Promise<NodeKeys | null> =>
    asNodeKeys(await database.run(['nodes'], 'readonly', (tx) => tx.objectStore('nodes').get(id)));

  const mine = session.read();
  if (mine) {
    const keys = await read(mine);
    const release = keys && (await hold(mine, { signal: AbortSignal.timeout(RELOAD_OVERLAP) }));
    if (keys && release) return { keys, release };
  }
  const pool = await database.run(['nodes'], 'readonly', async (tx) => (await tx.objectStore('nodes').getAllKeys()).map(String));
  for (const id of pool) {
    const release = await hold(id, { ifAvailable: true });
    if (!release) continue;
    const keys = await read(id);
    if (keys) {
      session.write(id);
      return { keys, release };
    }
    release();
  }
  const keys = await generateNodeKeys();
  const id = toHex((await createSigner(keys.signing)).publicKey);
  const release = await hold(id, {}); // before anybody can find it
  if (!release) throw fail('internal', 'A lock that nobody else knows was refused.');
  await database.run(['nodes'], 'readwrite', (tx) => tx.objectStore('nodes').put?.(keys, id) ?? Promise.resolve());
  session.write(id);
  return { keys, release };
}

/** Takes a lock and keeps it until the returned function is called or the page goes; null when it was not to be had. */
function holdLock(locks: LockManager, name: string, options: LockOptions): Promise<(() => void) | null> {
  return new Promise((resolve, reject) => {
    locks
      .request(name, options, (lock) => {
        if (!lock) {
          resolve(null);
          return;
        }
        return new Promise<void>((release) => resolve(release));
      })
      .catch((error: unknown) => (options.signal?.aborted ? resolve(null) : reject(error)));
  });
}

/** sessionStorage, which throws where a person has switched storage off: then a reload gets any free node of the pool. */
const session = {
  read(): string | null {
    try {
      return sessionStorage.getItem(SESSION_KEY);
    } catch {
      return null;
    }
  },
  write(id: string): void {
    try {
      sessionStorage.setItem(SESSION_KEY, id);
    } catch {
      // See above.
    }
  },
};

/** Asks the browser not to clear this site's disk when space is short. It may say no, or ask the person; nothing waits for it. */
function keepDisk(): void {
  globalThis.navigator?.storage?.persist?.().catch(() => undefined);
}
