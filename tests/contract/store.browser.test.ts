import { openIdbStore } from '../../src/browser/idb.ts';
import { storeContract } from './store.ts';

storeContract('IndexedDB', { open: (name) => openIdbStore({ name }), shared: true });
