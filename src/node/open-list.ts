/** Addresses of open nodes, kept on disk: through any of them this node finds the network again (design §5). */

import { fail } from '../base/errors.ts';
import type { Store } from '../base/ports.ts';
import { decode, encode, list, string, struct } from '../base/schema.ts';
import { isOpenUrl, MAX_URL_BYTES } from '../kademlia/contact.ts';

export { isOpenUrl, MAX_URL_BYTES } from '../kademlia/contact.ts';

export interface OpenList {
  /** Configured ones first, then those that a person named, then those that answered, the latest first, then those heard of. */
  all(): readonly string[];
  /** Those that a person named. Who named them keeps them: they are not written here. */
  added(): readonly string[];
  /** A person named it. Throws `invalid` for what has not the form of an address. */
  add(url: string): void;
  /** The person takes it back: forgotten, until somebody else names it. */
  remove(url: string): void;
  /** Somebody answered there. */
  proven(url: string): void;
  /** Takes in addresses that others named; the form is checked, nothing else. They push out others of their kind only. */
  hear(urls: readonly string[]): void;
  /** Reads what was remembered. */
  load(): Promise<void>;
}

/** Addresses remembered of each kind: each dead one costs a failed dial at worst. */
const MAX_EACH = 16;
const ROW = 'open-nodes';
const urls = list(string(MAX_URL_BYTES), MAX_EACH);
const rowSchema = struct<{ proven: readonly string[]; heard: readonly string[] }>({ proven: urls, heard: urls });

export function createOpenList(options: { store: Store; configured: readonly string[]; own: string | null }): OpenList {
  const configured = options.configured.filter((url) => url !== options.own);
  let added: readonly string[] = [];
  let proven: readonly string[] = [];
  let heard: readonly string[] = [];
  let saving: Promise<unknown> = Promise.resolve();

  const isNew = (url: string): boolean =>
    isOpenUrl(url) && ![options.own, ...configured, ...added, ...proven].includes(url) && url.length <= MAX_URL_BYTES;

  const save = (): void => {
    const bytes = encode(rowSchema, { proven, heard });
    // A list that could not be written is learnt again by the next reply.
    saving = saving.then(() => options.store.write([{ table: 'meta', key: ROW, value: bytes }])).catch(() => undefined);
  };

  const forget = (url: string): void => {
    if (!proven.includes(url) && !heard.includes(url)) return;
    proven = proven.filter((one) => one !== url);
    heard = heard.filter((one) => one !== url);
    save();
  };

  return {
    all: () => [...configured, ...added, ...proven, ...heard],
    added: () => added,
    add(url) {
      if (!isOpenUrl(url) || url.length > MAX_URL_BYTES)
        throw fail('invalid', `“${url.slice(0, 100)}” is not the address of an open node.`);
      if (added.includes(url)) return;
      forget(url);
      if (url !== options.own && !configured.includes(url)) added = [...added, url];
    },
    remove(url) {
      added = added.filter((one) => one !== url);
      forget(url);
    },
    proven(url) {
      if (proven[0] === url || (!isNew(url) && !proven.includes(url))) return;
      proven = [url, ...proven.filter((one) => one !== url)].slice(0, MAX_EACH);
      heard = heard.filter((one) => one !== url);
      save();
    },
    hear(urls) {
      const fresh = urls.filter((url) => isNew(url) && !heard.includes(url));
      if (fresh.length === 0) return;
      heard = [...new Set([...fresh, ...heard])].slice(0, MAX_EACH);
      save();
    },
    async load() {
      const bytes = await options.store.get('meta', ROW);
      const remembered = bytes && decode(rowSchema, bytes);
      if (!remembered) return;
      // Meanwhile somebody may have answered already.
      proven = [...new Set([...proven, ...remembered.proven.filter(isNew)])].slice(0, MAX_EACH);
      heard = [...new Set([...heard, ...remembered.heard])].filter(isNew).slice(0, MAX_EACH);
    },
  };
}
