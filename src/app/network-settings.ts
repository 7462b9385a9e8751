/** What a person set about the network: kept on this disk, and in use in all tabs from the moment it is changed. */
import { fail } from '../base/errors.ts';
import type { Siblings, Store } from '../base/ports.ts';
import { decode, encode, list, nullable, string, struct } from '../base/schema.ts';
import type { IceServer, NetworkSettings } from './api.ts';
import { readIceServer, readOpenNode } from './network-address.ts';

export interface NetworkKeeper {
  readonly current: NetworkSettings;
  /** Keeps these instead. Rejects with `invalid` (a message for a person) or `quota`, and then nothing changed. */
  change(next: NetworkSettings): Promise<void>;
  /** Called after each change, also one that another tab made. */
  onChange(listener: (now: NetworkSettings, before: NetworkSettings) => void): void;
}

/** Open nodes that a person may add: each is a link that is always kept. */
const MAX_OPEN_NODES = 8;
/** STUN and TURN servers: each is asked for every connection, and browsers warn that from five on it takes longer. */
const MAX_ICE_SERVERS = 4;
/** Bytes on disk of one text, which has at most 300 characters. */
const MAX_TEXT_BYTES = 1_200;
const ROW = 'network-settings';

const EMPTY: NetworkSettings = { openNodes: [], iceServers: [] };
const text = string(MAX_TEXT_BYTES);
const rowSchema = struct<Row>({
  openNodes: list(text, MAX_OPEN_NODES),
  iceServers: list(struct<IceRow>({ urls: text, username: nullable(text), credential: nullable(text) }), MAX_ICE_SERVERS),
});

interface IceRow {
  readonly urls: string;
  readonly username: string | null;
  readonly credential: string | null;
}

interface Row {
  readonly openNodes: readonly string[];
  readonly iceServers: readonly IceRow[];
}

export interface NetworkSettingsOptions {
  readonly store: Store;
  readonly siblings: Siblings;
  /** The page came by https:. */
  readonly secure: boolean;
}

/** Reads what is kept; what can't be read is as if there were none. */
export async function openNetworkSettings({ store, siblings, secure }: NetworkSettingsOptions): Promise<NetworkKeeper> {
  const listeners = new Set<(now: NetworkSettings, before: NetworkSettings) => void>();
  let current = await load(store, secure);
  let saving: Promise<unknown> = Promise.resolve();
  const use = (next: NetworkSettings): void => {
    const before = current;
    current = next;
    for (const listener of [...listeners]) listener(current, before);
  };
  siblings.listen((row) => {
    // A change that is under way here comes later than theirs, and stays.
    if (row === ROW) saving = saving.then(async () => use(await load(store, secure)));
  });

  return {
    get current() {
      return current;
    },
    change(next) {
      const changing = saving.then(async () => {
        const checked = check(next, secure);
        await store.write([{ table: 'meta', key: ROW, value: encode(rowSchema, rowOf(checked)) }]);
        use(checked);
        siblings.tell(ROW);
      });
      saving = changing.catch(() => undefined); // Whoever asked is told; the next change has its own turn.
      return changing;
    },
    onChange: (listener) => void listeners.add(listener),
  };
}

async function load(store: Store, secure: boolean): Promise<NetworkSettings> {
  try {
    const bytes = await store.get('meta', ROW);
    const row = bytes && decode(rowSchema, bytes);
    return row ? check(settingsOf(row), secure) : EMPTY;
  } catch {
    // A disk that fails here fails everywhere, and says so there.
    return EMPTY;
  }
}

/** The settings with each address in the form that is used. Throws `invalid`. */
function check(settings: NetworkSettings, secure: boolean): NetworkSettings {
  const { openNodes, iceServers } = settings;
  // Programs call this, too, and no compiler has looked at them.
  const wellFormed =
    Array.isArray(openNodes) &&
    openNodes.every((one) => typeof one === 'string') &&
    Array.isArray(iceServers) &&
    iceServers.every((one) => isText(one?.urls) && isOptionalText(one.username) && isOptionalText(one.credential));
  if (!wellFormed)
    throw fail('invalid', 'Network settings are { openNodes: texts, iceServers: a list of { urls, username?, credential? } }.');
  atMost(openNodes, MAX_OPEN_NODES, 'open nodes');
  atMost(iceServers, MAX_ICE_SERVERS, 'STUN and TURN servers');
  const nodes = openNodes.map((typed) => readOpenNode(typed, { secure }));
  const servers = iceServers.map(readIceServer);
  noneTwice(nodes);
  noneTwice(servers.map(({ urls }) => urls));
  return { openNodes: nodes, iceServers: servers };
}

function atMost(items: readonly unknown[], max: number, what: string): void {
  if (items.length > max) throw fail('invalid', `At most ${max} ${what} can be set. Remove one first.`);
}

function noneTwice(addresses: readonly string[]): void {
  const twice = addresses.find((address, i) => addresses.indexOf(address) !== i);
  if (twice !== undefined) throw fail('invalid', `${twice} is in the list already.`);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || isText(value);
}

function rowOf({ openNodes, iceServers }: NetworkSettings): Row {
  return {
    openNodes,
    iceServers: iceServers.map(({ urls, username = null, credential = null }) => ({ urls, username, credential })),
  };
}

function settingsOf({ openNodes, iceServers }: Row): NetworkSettings {
  return {
    openNodes,
    iceServers: iceServers.map(
      ({ urls, username, credential }): IceServer => (username !== null && credential !== null ? { urls, username, credential } : { urls }),
    ),
  };
}
