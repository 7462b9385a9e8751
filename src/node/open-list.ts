/** Addresses of open nodes, kept on disk: through any of them this node finds the network again (design §5). */

import type { Store } from '../base/ports.ts';
import { decode, encode, list, string } from '../base/schema.ts';
import { isOpenUrl, MAX_URL_BYTES } from '../kademlia/contact.ts';

export interface OpenList {
  /** Configured ones first, then those heard of, latest first. */
  all(): readonly string[];
  /** Takes in addresses that others named; the form is checked, nothing else. */
  learn(urls: readonly string[]): void;
  /** Reads what was remembered. */
  load(): Promise<void>;
}

/** Addresses remembered: each dead one costs a failed dial at worst. */
const MAX_REMEMBERED = 32;
const ROW = 'open-nodes';
const rowSchema = list(string(MAX_URL_BYTES), MAX_REMEMBERED);

export function createOpenList(options: { store: Store; configured: readonly string[]; own: string | null }): OpenList {
  const configured = options.configured.filter((url) => url !== options.own);
  let heard: readonly string[] = [];
  let saving: Promise<unknown> = Promise.resolve();

  const save = (): void => {
    const bytes = encode(rowSchema, heard);
    // A list that could not be written is learnt again by the next reply.
    saving = saving.then(() => options.store.write([{ table: 'meta', key: ROW, value: bytes }])).catch(() => undefined);
  };

  return {
    all: () => [...configured, ...heard],
    learn(urls) {
      const fresh = urls.filter((url) => isOpenUrl(url) && url !== options.own && !configured.includes(url) && !heard.includes(url));
      if (fresh.length === 0) return;
      heard = [...fresh, ...heard].slice(0, MAX_REMEMBERED);
      save();
    },
    async load() {
      const bytes = await options.store.get('meta', ROW);
      const remembered = (bytes && decode(rowSchema, bytes)) ?? [];
      heard = [...new Set([...heard, ...remembered])]
        .filter((url) => isOpenUrl(url) && url !== options.own && !configured.includes(url))
        .slice(0, MAX_REMEMBERED);
    },
  };
}
