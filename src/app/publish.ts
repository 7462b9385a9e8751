/** From a person's file to a link that works, and then to copies on other disks (design §7). */
import { type Bytes, fromUtf8, toHex, toUtf8 } from '../base/bytes.ts';
import { asKadreelError, fail } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { Clock, Crypto, CutEvent, CutRendition, Random, Signer, SourceFile, Transcoder } from '../base/ports.ts';
import { encode } from '../base/schema.ts';
import { abortError, quiet } from '../base/timing.ts';
import { hashKey, type Key } from '../kademlia/key.ts';
import { createGroupPacker, type GroupPacker, type PackedGroup } from '../media/group.ts';
import type { VideoId } from '../media/manifest.ts';
import { buildManifest } from '../media/manifest-build.ts';
import type { DhtNode } from '../node/dht-node.ts';
import { recordKey, writeRecord } from '../records/record.ts';
import type { Device } from '../records/vector-clock.ts';
import type { CopiesReport, PublishOptions, PublishStage } from './api.ts';
import type { Draft, Drafts } from './drafts.ts';
import { createGroupClaims, type GroupClaim } from './group-claims.ts';
import { type Library, type PublishedVideo, videoRecordSchema } from './library.ts';
import { createProgress, type Progress } from './progress.ts';
import { spreadAll } from './spread.ts';

export interface Publisher {
  publish(file: SourceFile, options: PublishOptions): Promise<{ videoId: VideoId; done: Promise<CopiesReport> }>;
}

export interface PublisherOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly account: Signer;
  readonly device: Device;
  readonly transcoder: Transcoder;
  readonly node: DhtNode;
  readonly library: Library;
  readonly drafts: Drafts;
  /** Fires, with a reason, when the node leaves: what is under way then ends. */
  readonly closing: AbortSignal;
}

const MAX_TITLE_BYTES = 200;
const NAME_BYTES = 8;
/** Where each stage ends on the bar: reading headers is nothing, cutting nearly all. A transcode is most of the work where there is one. */
const STAGE_END: Readonly<Record<PublishStage, number>> = { read: 0.02, transcode: 0.85, cut: 0.85, announce: 0.9, copies: 1 };

/** A rendition under work: the bytes of its open group wait here until the group closes and has a key. */
interface OpenRendition {
  readonly rendition: CutRendition;
  readonly packer: GroupPacker;
  readonly groups: PackedGroup[];
  waiting: Bytes[];
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { crypto, clock, node, transcoder, library } = options;
  const claims = createGroupClaims(node.groups);

  /** Cuts the file and keeps every group, each claimed before it is written. Gives the renditions and the poster. */
  const cutAndKeep = async (
    file: SourceFile,
    work: { signal: AbortSignal; progress: Progress; stage: PublishStage; claim: GroupClaim; draft: Draft },
  ): Promise<{ renditions: readonly OpenRendition[]; poster: Bytes | null }> => {
    const open = new Map<number, OpenRendition>();
    let poster: Bytes | null = null;

    const keep = async (rendition: OpenRendition, group: PackedGroup): Promise<void> => {
      const segments = rendition.waiting.splice(0, group.descriptor.segments.length);
      await work.claim.add(group.key);
      await work.draft.note(group.key);
      for (const [index, bytes] of segments.entries()) {
        await node.groups.put({ group: group.key, encoded: group.encoded, index, bytes, role: 'own' });
      }
      rendition.groups.push(group);
    };

    const take = async (event: CutEvent): Promise<void> => {
      switch (event.type) {
        case 'progress':
          return work.progress.report(work.stage, event.fraction);
        case 'poster':
          // A picture that no node would store is none.
          if (event.bytes.length <= LIMITS.value) poster = event.bytes;
          return;
        case 'rendition':
          open.set(event.rendition.index, { rendition: event.rendition, packer: createGroupPacker(crypto), groups: [], waiting: [] });
          return;
        case 'segment': {
          const rendition = open.get(event.rendition);
          if (!rendition) throw fail('internal', 'A segment came before its rendition.');
          const { bytes, duration } = event;
          const full = rendition.packer.add({ digest: await crypto.digest(bytes), size: bytes.length, duration });
          if (full) await keep(rendition, full);
          rendition.waiting.push(bytes);
          return;
        }
        case 'done':
          return;
      }
    };

    for await (const event of transcoder.cut(file, work.signal)) {
      if (work.signal.aborted) throw abortError(work.signal);
      await take(event);
    }
    for (const rendition of open.values()) {
      const last = rendition.packer.finish();
      if (last) await keep(rendition, last);
    }
    if (work.signal.aborted) throw abortError(work.signal);
    return { renditions: [...open.values()].filter((rendition) => rendition.groups.length > 0), poster };
  };

  /** Everything that is stored of the video besides its groups, and the keys of those. */
  const describe = async (cut: {
    title: string;
    renditions: readonly OpenRendition[];
    poster: Bytes | null;
  }): Promise<{ video: PublishedVideo; groups: readonly Key[] }> => {
    const { title, renditions, poster } = cut;
    const { account, device } = options;
    const created = clock.now();
    const posterKey = poster && hashKey(crypto, poster);
    const built = buildManifest(crypto, { title, owner: account.publicKey, created, poster: posterKey }, renditions);
    const name = `video/${toHex(options.random.bytes(NAME_BYTES))}`;
    const value = encode(videoRecordSchema, { manifest: built.key });
    const record = await writeRecord({ signer: account, device, name, value, now: created, previous: null });
    const video: PublishedVideo = {
      videoId: recordKey(crypto, account.publicKey, name),
      title,
      duration: built.manifest.duration,
      created,
      poster: posterKey,
      record: record.signed,
      values: [built.encoded, ...built.pages.map((page) => page.bytes), ...(poster ? [poster] : [])],
    };
    return { video, groups: renditions.flatMap((rendition) => rendition.groups.map((group) => group.key)) };
  };

  return {
    async publish(file, { title, signal: given, onProgress }) {
      const { signal, done: ended } = eitherOf(given, options.closing);
      const progress = createProgress({ clock, ends: STAGE_END, ...(onProgress && { onProgress }) });
      const claim = claims.open();
      const draft = options.drafts.open();
      let added: VideoId | null = null;
      try {
        const fitting = fitTitle(title, file.name);
        progress.report('read', 0);
        const probe = await transcoder.probe(file, signal);
        progress.report('read', 1);
        const stage = probe.plan === 'transcode' ? 'transcode' : 'cut';
        const { renditions, poster } = await cutAndKeep(file, { signal, progress, stage, claim, draft });
        progress.report(stage, 1);
        const { video, groups } = await describe({ title: fitting, renditions, poster });
        await library.add(video);
        added = video.videoId;
        const first = renditions.flatMap((rendition) => rendition.groups[0]?.key ?? []);
        await Promise.all([library.announce(video, signal), ...first.map((group) => node.announce(group, signal))]);
        if (signal.aborted) throw abortError(signal);
        // The link works. A listing can't be called back from the nodes that have it, so from here on there is no cancelling.
        claim.keep();
        await draft.close();
        await library.list(video).catch(() => undefined); // Listed within the hour.
        progress.report('announce', 1);
        const onShare = (fraction: number): void => progress.report('copies', fraction);
        const done = quiet(spreadAll({ clock, node, groups, signal, onProgress: onShare }).finally(ended));
        return { videoId: video.videoId, done };
      } catch (error) {
        if (added) await library.remove(added).catch(() => undefined);
        await claim.giveBack();
        await draft.close();
        ended();
        throw signal.aborted ? abortError(signal) : asKadreelError(error);
      }
    },
  };
}

/** The title, or the file's name without its ending; cut at 200 bytes of UTF-8 between two characters. */
function fitTitle(title: string, fileName: string): string {
  const wanted = title.trim() || fileName.replace(/\.[^.]+$/, '').trim() || 'Untitled';
  const bytes = fromUtf8(wanted);
  for (let length = Math.min(bytes.length, MAX_TITLE_BYTES); length > 0; length--) {
    const text = toUtf8(bytes.subarray(0, length));
    if (text !== null) return text;
  }
  return 'Untitled';
}

/** Fires when one of them does, with its reason. Call `done` when the work has ended: the node's signal outlives it by far. */
function eitherOf(...signals: readonly (AbortSignal | undefined)[]): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController();
  const listening = signals.flatMap((signal) => {
    if (!signal) return [];
    const onAbort = (): void => controller.abort(abortError(signal));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    return [() => signal.removeEventListener('abort', onAbort)];
  });
  return {
    signal: controller.signal,
    done() {
      for (const stop of listening) stop();
    },
  };
}
