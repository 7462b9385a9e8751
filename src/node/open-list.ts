/** Addresses of open nodes, kept on disk: through any of them this node finds the network again (design §5). */

import type { Store } from '../base/ports.ts';
import { decode, encode, list, string, struct } from '../base/schema.ts';
import { isOpenUrl, MAX_URL_BYTES } from '../kademlia/contact.ts';

export interface OpenList {
  /** Configured ones first, then those that answered, the latest first, then those heard of. */
  all(): readonly string[];
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
  let proven: readonly string[] = [];
  let heard: readonly string[] = [];
  let saving: Promise<unknown> = Promise.resolve();

  const isNew = (url: string): boolean => isOpenUrl(url) && url !== options.own && !configured.includes(url) && !proven.includes(url);

  const save = (): void => {
    const bytes = encode(rowSchema, { proven, heard });
    // A list that could not be written is learnt again by the next reply.
    saving = saving.then(() => options.store.write([{ table: 'meta', key: ROW, value: bytes }])).catch(() => undefined);
  };

  return {
    all: () => [...configured, ...proven, ...heard],
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
