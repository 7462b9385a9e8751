/** From a person's file to a link that works, and then to copies on other disks (design §7). */
import { fromUtf8, toUtf8 } from '../base/bytes.ts';
import { asKadreelError } from '../base/errors.ts';
import type { Clock, Crypto, Random, Signer, SourceFile, Transcoder } from '../base/ports.ts';
import { abortError, quiet } from '../base/timing.ts';
import type { VideoId } from '../media/manifest.ts';
import type { DhtNode } from '../node/dht-node.ts';
import type { Device } from '../records/vector-clock.ts';
import type { CopiesReport, PublishOptions, PublishStage } from './api.ts';
import type { Draft, Drafts } from './drafts.ts';
import { createGroupClaims, type GroupClaim } from './group-claims.ts';
import type { Library } from './library.ts';
import { createPacking, type Packed } from './packing.ts';
import { createProgress, type Progress } from './progress.ts';
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
  /** Fires, with a reason, when the node leaves: what is under way then ends. */
  readonly closing: AbortSignal;
}

const MAX_TITLE_BYTES = 200;
/** Where each stage ends on the bar: reading headers is nothing, cutting nearly all. A transcode is most of the work where there is one. */
const STAGE_END: Readonly<Record<PublishStage, number>> = { read: 0.02, transcode: 0.85, cut: 0.85, announce: 0.9, copies: 1 };

export function createPublisher(options: PublisherOptions): Publisher {
  const { crypto, clock, node, transcoder, library } = options;
  const claims = createGroupClaims(node.groups);

  /** Cuts the file and keeps every group, each claimed before it is written. */
  const cutAndKeep = async (
    file: SourceFile,
    work: { signal: AbortSignal; progress: Progress; stage: PublishStage; claim: GroupClaim; draft: Draft },
  ): Promise<Packed> => {
    const { signal, progress, stage, claim, draft } = work;
    const packing = createPacking({
      crypto,
      groups: node.groups,
      async onGroup({ key }) {
        await claim.add(key);
        await draft.note(key);
      },
      onProgress: (fraction) => progress.report(stage, fraction),
    });
    for await (const event of transcoder.cut(file, signal)) {
      if (signal.aborted) throw abortError(signal);
      await packing.take(event);
    }
    const packed = await packing.finish();
    if (signal.aborted) throw abortError(signal);
    return packed;
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
        const versions = createVideoVersions({ ...options, title: fitting, first: renditions, poster });
        const video = await versions.next([]);
        const groups = renditions.flatMap((rendition) => rendition.groups.map((group) => group.key));
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
