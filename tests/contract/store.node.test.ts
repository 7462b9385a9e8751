import 'fake-indexeddb/auto';
import { openIdbStore } from '../../src/browser/idb.ts';
import { storeContract } from './store.ts';

storeContract('IndexedDB, in memory', { open: (name) => openIdbStore({ name }), shared: true });
