/** Everything the page can do, put together on ports: the `Kadreel` of `api.ts`, and the answers that the service worker wants. */
import type { Bytes } from '../base/bytes.ts';
import { fail } from '../base/errors.ts';
import type {
  Clock,
  Crypto,
  FileKeeper,
  HelpConditions,
  Locks,
  Pairer,
  Random,
  Siblings,
  Signer,
  Store,
  Transcoder,
} from '../base/ports.ts';
import { orAbort } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import { encodeCatalogue } from '../media/catalogue.ts';
import type { VideoId } from '../media/manifest.ts';
import { formatWatchPath } from '../media/urls.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { createInvitations } from '../node/invitations.ts';
import type { Device } from '../records/vector-clock.ts';
import type { Kadreel, NodeStats } from './api.ts';
import { openBadHelpers } from './bad-helpers.ts';
import { createFeed } from './feed.ts';
import { createHealthMonitor } from './health.ts';
import { createHelp } from './help.ts';
import { createHelpSettings } from './help-settings.ts';
import type { IceServers } from './ice-servers.ts';
import { codeOfLink, formatInvitationLink } from './invitation-link.ts';
import { createJournal } from './journal.ts';
import { createLibrary } from './library.ts';
import { createLowerDesk } from './lower-desk.ts';
import { createNetwork } from './network.ts';
import type { NetworkKeeper } from './network-settings.ts';
import { createPublisher } from './publish.ts';
import { createRenewal } from './renewal.ts';
import { createSpeedBook } from './speeds.ts';
import { createUnfinished } from './unfinished.ts';
import { createWatcher } from './watch.ts';

export interface KadreelApp extends Kadreel {
  /** For the service worker: a video's encoded catalogue. */
  catalogue(videoId: VideoId, signal: AbortSignal): Promise<Bytes>;
  /** For the service worker: a segment. */
  segment(group: Key, index: number, signal: AbortSignal): Promise<Bytes>;
  /** The service worker read a segment from the disk. */
  read(segment: { group: Key; index: number; bytes: number }): void;
  /** Leaves the network. Idempotent. */
  close(reason: string): void;
}

export interface KadreelOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly store: Store;
  readonly account: Signer;
  readonly device: Device;
  readonly transcoder: Transcoder;
  readonly conditions: HelpConditions;
  readonly files: FileKeeper;
  readonly locks: Locks;
  readonly siblings: Siblings;
  readonly node: DhtNode;
  readonly network: NetworkKeeper;
  readonly pairer: Pairer;
  /** Bytes of others' media at most. */
  readonly quota: number;
  /** Where watch links point: `https://example.org`. */
  readonly origin: string;
  readonly iceServers: IceServers;
  /** RTCPeerConnections constructed so far. */
  readonly connections: () => number;
  /** Resolves when a player's requests are answered; rejects with the reason why they can't be. */
  readonly playable: Promise<void>;
  /** Gives up a player's request. */
  readonly abandon: (url: string) => void;
}

export function createKadreel(options: KadreelOptions): KadreelApp {
  const { clock, node, store, quota } = options;
  const speeds = createSpeedBook(options);
  const { transcoder } = speeds;
  const library = createLibrary({ ...options, now: () => clock.now() });
  const closing = new AbortController();
  const journal = createJournal({ ...options, library, groups: node.groups });
  const bad = openBadHelpers(options);
  const helpSettings = createHelpSettings(options);
  const checkShare = (): number => helpSettings.current.checkShare;
  const help = createHelp({ ...options, settings: helpSettings, helping: node.helping });
  const watcher = createWatcher({ ...options, library });
  const publishing = { ...options, transcoder, library, journal, bad, checkShare, onVersion: watcher.changed, closing: closing.signal };
  const publisher = createPublisher(publishing);
  /** Changes that this page began. */
  const changing = new Set<string>();
  const editor = once(async () => {
    const { createEditor } = await import('./editor.ts');
    return createEditor({
      ...{ ...options, library, journal, closing: closing.signal },
      onBegun: (id) => changing.add(id),
      onChanged: watcher.changed,
    });
  });
  const lower = createLowerDesk({ ...options, transcoder, bad, checkShare });
  const feed = createFeed({ node, library, clock });
  const renewal = createRenewal({ node, library, clock });
  const network = createNetwork(options);
  const { pairer, crypto } = options;
  const invitations = createInvitations({ pairer, clock, crypto, self: node.contact.id, adopt: node.peers.adopt });
  const health = createHealthMonitor({ node, clock, quota });
  let kept = { groups: 0, bytes: 0, own: 0 };

  const recount = async (): Promise<void> => {
    const { groups, bytes, others } = await node.groups.usage();
    kept = { groups, bytes, own: bytes - others };
  };

  void recount().catch(() => undefined); // The first to ask finds figures, too.
  const unfinished = createUnfinished({
    ...publishing,
    isOwn: (id) => publisher.isOwn(id) || changing.has(id),
    editor,
    onBusy: () => help.busyWith('publishing'),
    onPublished: () => void recount().catch(() => undefined), // The figures of the last count serve meanwhile.
  });

  const stats = (): NodeStats => {
    void recount().catch(() => undefined); // The figures of the last count serve meanwhile.
    const { links, received, served, corruptHolders, malformed } = node.stats();
    return {
      links,
      linked: node.links().map((link) => link.id),
      received: { ...received },
      served,
      kept: { ...kept, quota },
      corruptHolders,
      malformed,
      connections: options.connections(),
      nat: node.contact.nat,
    };
  };

  return {
    node: { id: node.contact.id, stats },
    async publish(file, publishing) {
      const ended = help.busyWith('publishing');
      const { videoId, done } = await publisher.publish(file, publishing).catch((error: unknown) => {
        ended();
        throw error;
      });
      done.then(ended, ended);
      void recount().catch(() => undefined);
      return { videoId, watchUrl: options.origin + formatWatchPath(videoId), done };
    },
    async manifest(videoId) {
      return (await watcher.catalogue(videoId, closing.signal)).manifest;
    },
    network: network.api,
    networkView: () => ({ ...network.view(), help: help.view() }),
    help: { view: help.view, set: (on) => helpSettings.change({ on }), tune: helpSettings.change },
    async invite() {
      const { code, accept, close } = await invitations.invite();
      return { url: formatInvitationLink(options.origin, code), accept, close };
    },
    async join(url) {
      const { reply, linked } = await invitations.join(codeOfLink(url));
      return { code: reply, linked };
    },
    inviterOf: (url) => invitations.inviterOf(codeOfLink(url)),
    probe: (file, signal) => transcoder.probe(file, signal),
    async preflight(file, probe) {
      const [{ planPublication }, measured, room] = await Promise.all([import('./preflight.ts'), speeds.read(), roomOf(store, node)]);
      return planPublication({ size: file.size, probe, speeds: measured, room });
    },
    pictures: (file, signal) => transcoder.pictures(file, signal),
    still: (picture, aspect) => transcoder.still(picture, aspect),
    async watch(videoId, signal) {
      const opening = watcher.watch(videoId, signal);
      try {
        const [session] = await Promise.all([opening, orAbort(options.playable, signal)]);
        const ended = help.busyWith('playing');
        const asked = lower.open((until) => watcher.catalogue(videoId, until));
        return {
          ...session,
          ...asked,
          close() {
            ended();
            asked.close();
            session.close();
          },
        };
      } catch (error) {
        // Nobody will close what opens now.
        opening.then((session) => session.close()).catch(() => undefined);
        throw error;
      }
    },
    abandon: options.abandon,
    onUnfinished: unfinished.listen,
    goOn: unfinished.goOn,
    discard: unfinished.discard,
    own: async (videoId) => (await editor()).own(videoId),
    edit: async (videoId, edit) => (await editor()).edit(videoId, edit),
    async remove(videoId) {
      const removal = await (await editor()).remove(videoId);
      void recount().catch(() => undefined);
      return removal;
    },
    picturesOf: async (videoId, signal) => (await editor()).pictures(videoId, signal),
    newest: feed.newest,
    mine: feed.mine,
    onHealth: health.listen,
    async catalogue(videoId, signal) {
      return encodeCatalogue(lower.catalogue(videoId) ?? (await watcher.catalogue(videoId, signal)));
    },
    segment: async (group, index, signal) => lower.segment(group, index, signal) ?? watcher.segment(group, index, signal),
    read: watcher.read,
    close(reason) {
      renewal.close();
      closing.abort(fail('closed', 'This tab has left the network.'));
      help.close();
      health.close();
      invitations.close();
      node.close(reason);
    },
  };
}

/** The same promise each time, unless it failed: then it is tried again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}

/** Bytes that a publication may take: what others' videos take here goes first when it is short. Null when the browser does not say. */
async function roomOf(store: Store, node: DhtNode): Promise<number | null> {
  const [{ granted, used }, { others }] = await Promise.all([store.capacity(), node.groups.usage()]);
  return granted > 0 ? Math.max(0, granted - used + others) : null;
}
