/** From a person's file to a link that works, and then to copies on other disks (design §7). */
import { fromUtf8, toUtf8 } from '../base/bytes.ts';
import { asKadreelError } from '../base/errors.ts';
import type { Clock, Crypto, Random, Signer, SourceFile, Transcoder } from '../base/ports.ts';
import { abortError, orAbort, quiet } from '../base/timing.ts';
import type { Key } from '../kademlia/key.ts';
import type { VideoId } from '../media/manifest.ts';
import type { DhtNode } from '../node/dht-node.ts';
import type { Device } from '../records/vector-clock.ts';
import { addPreview, keepCaptions } from './additions.ts';
import type { CopiesReport, PublishOptions, PublishStage } from './api.ts';
import type { BadHelpers } from './bad-helpers.ts';
import type { Drafts } from './drafts.ts';
import { createGroupClaims } from './group-claims.ts';
import type { Library } from './library.ts';
import { createPacking, type Packed, type Packing } from './packing.ts';
import { createProgress } from './progress.ts';
import { groupsOf, longestOf, makeQualities, type QualityWork, rungsFor } from './qualities.ts';
import { spreadAll } from './spread.ts';
import { createVideoVersions } from './video-versions.ts';

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
  /** Helpers that are not asked. */
  readonly bad: Promise<BadHelpers>;
  /** Fires, with a reason, when the node leaves: what is under way then ends. */
  readonly closing: AbortSignal;
}

const MAX_TITLE_BYTES = 200;
/** Where each stage ends on the bar: reading headers is nothing, cutting nearly all. A transcode is most of the work where there is one. */
const STAGE_END: Readonly<Record<PublishStage, number>> = { read: 0.02, transcode: 0.85, cut: 0.85, announce: 0.9, copies: 1 };

export function createPublisher(options: PublisherOptions): Publisher {
  const { crypto, clock, node, transcoder, library } = options;
  const claims = createGroupClaims(node.groups);

  /** A place on the disk for what is cut: every group is claimed before it is written. */
  const begin = (onProgress: (fraction: number) => void): QualityWork => {
    const claim = claims.open();
    const draft = options.drafts.open();
    const packing = createPacking({
      crypto,
      groups: node.groups,
      async onGroup({ key }) {
        await claim.add(key);
        await draft.note(key);
      },
      onProgress,
    });
    return {
      packing,
      async keep() {
        claim.keep();
        await draft.close();
      },
      async giveBack() {
        await claim.giveBack();
        await draft.close();
      },
    };
  };

  const cut = async (packing: Packing, file: SourceFile, signal: AbortSignal): Promise<Packed> => {
    for await (const event of transcoder.cut(file, signal)) {
      if (signal.aborted) throw abortError(signal);
      await packing.take(event);
    }
    const packed = await packing.finish();
    if (signal.aborted) throw abortError(signal);
    return packed;
  };

  return {
    async publish(file, { title, signal: given, onProgress, onQualities = () => undefined, onSharedWork = () => undefined, ...wanted }) {
      const { signal, done: ended } = eitherOf(given, options.closing);
      const progress = createProgress({ clock, ends: STAGE_END, ...(onProgress && { onProgress }) });
      let stage: PublishStage = 'cut';
      const work = begin((fraction) => progress.report(stage, fraction));
      let added: VideoId | null = null;
      try {
        const fitting = fitTitle(title, file.name);
        progress.report('read', 0);
        const probe = await transcoder.probe(file, signal);
        progress.report('read', 1);
        if (probe.plan === 'transcode') stage = 'transcode';
        const packed = await cut(work.packing, file, signal);
        progress.report(stage, 1);
        const poster = wanted.poster ?? packed.poster;
        const versions = createVideoVersions({ ...options, title: fitting, first: packed.renditions, poster });
        const captions = await keepCaptions(work.packing, wanted.captions ?? [], longestOf(packed.renditions));
        const video = await versions.next({ additions: { captions } }, library.add);
        const groups = [...groupsOf(packed.renditions), ...captions.flatMap((one) => one.groups.map(({ key }) => key))];
        added = video.videoId;
        const first = packed.renditions.flatMap((rendition) => rendition.groups[0]?.key ?? []);
        await Promise.all([library.announce(video, signal), ...first.map((group) => node.announce(group, signal))]);
        if (signal.aborted) throw abortError(signal);
        // The link works. A listing can't be called back from the nodes that have it, so from here on there is no cancelling.
        await work.keep();
        await library.list(video).catch(() => undefined); // Listed within the hour.
        progress.report('announce', 1);
        const onShare = (fraction: number): void => progress.report('copies', fraction);
        const spreading = [quiet(spreadAll({ clock, node, groups, signal, onProgress: onShare }))];
        const onMade = (more: readonly Key[]): void => {
          spreading.push(quiet(spreadAll({ clock, node, groups: more, signal, onProgress: () => undefined })));
        };
        const picture = packed.renditions.find(({ rendition }) => rendition.kind === 'video') ?? null;
        const { starts, end } = packed;
        const joining = { transcoder, library, versions, file, begin, onMade, signal };
        const making = makeQualities({
          ...joining,
          ...{ clock, groups: node.groups, starts, end, onState: onQualities },
          rungs: rungsFor(packed.renditions).filter(({ name }) => !wanted.without?.includes(name)),
          // Loaded when the link works: nobody waits for it.
          openSharing: async () =>
            picture &&
            (await import('./quality-sharing.ts')).openQualitySharing({
              ...{ ...options, bad: await options.bad, picture, starts, end, onWork: onSharedWork, signal },
            }),
        });
        const previewing = quiet(addPreview(joining));
        const finish = async (): Promise<CopiesReport> => {
          await Promise.all([making, previewing]);
          const reports = await Promise.all(spreading);
          return { stored: Math.min(...reports.map(({ stored }) => stored)), wanted: Math.max(...reports.map(({ wanted }) => wanted)) };
        };
        return { videoId: video.videoId, done: quiet(orAbort(finish(), signal).finally(ended)) };
      } catch (error) {
        if (added) await library.remove(added).catch(() => undefined);
        await work.giveBack();
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
