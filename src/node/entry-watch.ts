/** An item store that tells of each entry that it has taken in. */
import type { Key } from '../kademlia/key.ts';
import type { Signed } from '../records/signed.ts';
import type { ItemStore } from './item-store.ts';

/** The same store; `onEntry` gets each new set entry, whose signature it has found good. */
export function watchEntries(items: ItemStore, onEntry: (key: Key, signed: Signed) => void): ItemStore {
  return {
    ...items,
    async put(key, item, terms) {
      const isNew = await items.put(key, item, terms);
      if (isNew && item.type === 'entry') onEntry(key, item.signed);
      return isNew;
    },
  };
}
