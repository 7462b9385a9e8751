/** Cuts what no browser plays: ffmpeg converts it, and segments come out as it goes, from those on that the caller has already. */
import { asKadreelError, fail } from '../base/errors.ts';
import type { CutEvent, MediaProbe } from '../base/ports.ts';
import { abortError } from '../base/timing.ts';
import type { FileConversion } from './conversion-args.ts';
import { eventsOf, openCutWorker } from './cut-workers.ts';
import { convertFrom, threadCount } from './ffmpeg.ts';
import { type FileTimeline, timelineByFfmpeg } from './ffprobe.ts';
import { packetAt, soundPacketOf } from './grid-cutter.ts';
import type { ConvertedCutRequest } from './media-protocol.ts';
import { cellOfSegment } from './picture-times.ts';

export interface ConvertedCut {
  readonly probe: MediaProbe;
  /** The picture is copied, and its sound alone is converted. */
  readonly copiesPicture: boolean;
  /** Segments of each rendition that the caller has. */
  readonly kept: readonly number[];
}

/** Seconds below which a picture that seems to begin late does not: times are told in microseconds. */
const LEAST_LATE = 0.0001;

/** Packets of sound that are made and dropped before those that are wanted: each is heard together with the one before. */
const SOUND_RUN_UP = 4;

/**
 * As the port's `cut`. False, with nothing yielded, when the picture can't be copied. A picture is converted by several threads where the page may have
 * them; where those fail or stand still, one goes on behind what they made. Likewise where a file turns out not to be readable from its middle.
 */
export async function* cutConverted(
  file: Blob,
  { probe, copiesPicture, kept }: ConvertedCut,
  signal: AbortSignal,
): AsyncGenerator<CutEvent, boolean> {
  const timeline = await timelineByFfmpeg(file, signal);
  const made = [...kept];
  const announced = new Set<number>();
  let threads = copiesPicture || !probe.video ? 1 : threadCount();
  let { seeks } = timeline;
  for (;;) {
    const attempt = attemptFrom(file, { probe, copiesPicture, kept: [...made], timeline: { ...timeline, seeks }, threads }, signal);
    try {
      for (;;) {
        const { done, value } = await attempt.next();
        if (done && (value || copiesPicture)) return value;
        if (done) break;
        if (value.type === 'rendition' && announced.has(value.rendition.index)) continue;
        if (value.type === 'rendition') announced.add(value.rendition.index);
        if (value.type === 'segment') made[value.rendition] = (made[value.rendition] ?? 0) + 1;
        yield value;
      }
      if (!seeks)
        throw fail('unsupported', 'The pictures of the file do not come when they should: it may be damaged. Try another copy of it.');
      seeks = false;
    } catch (error) {
      if (signal.aborted) throw abortError(signal);
      if (threads === 1) throw error;
      console.warn('Converting with threads failed, and goes on with one.', error);
      threads = 1;
    } finally {
      // Breaking out of the loop that reads this must end the conversion too.
      await attempt.return(false);
    }
  }
}

interface Attempt extends ConvertedCut {
  readonly timeline: FileTimeline;
  readonly threads: number;
}

async function* attemptFrom(file: Blob, attempt: Attempt, signal: AbortSignal): AsyncGenerator<CutEvent, boolean> {
  const { probe, copiesPicture, threads } = attempt;
  const { conversion, request } = await planFor(file, attempt, signal);
  if (!conversion.picture && !conversion.sound && !copiesPicture) {
    yield { type: 'done' };
    return true;
  }
  const left = new AbortController();
  const ended = AbortSignal.any([signal, left.signal]);
  const cutter = openCutWorker(ended);
  convertFrom(file, {
    ...{ what: conversion, threads: probe.video ? threads : 1, signal: ended },
    onPiece: (of, piece) => cutter.send({ type: 'piece', of, piece }),
  }).then(
    () => {
      for (const of of ['picture', 'sound'] as const) cutter.send({ type: 'piece', of, piece: null });
    },
    (error) => left.abort(asKadreelError(error)),
  );
  try {
    return yield* eventsOf(cutter, request);
  } finally {
    left.abort();
  }
}

/** What is left to do, for ffmpeg and for who cuts what it makes. */
async function planFor(
  file: Blob,
  { probe, copiesPicture, kept, timeline }: Attempt,
  signal: AbortSignal,
): Promise<{ conversion: FileConversion; request: ConvertedCutRequest }> {
  const { origin, seeks } = timeline;
  const { video, duration } = probe;
  const index = video ? 1 : 0;
  const [pictures, sounds] = [video ? (kept[0] ?? 0) : 0, kept[index] ?? 0];
  const cell = video && !copiesPicture ? await cellOfSegment(file, { segment: pictures, origin }, signal) : null;
  const late = (timeline.picture ?? origin) - origin;
  const start = probe.audio ? timeline.sound : null;
  const first = start === null ? 0 : Math.max(packetAt(start, origin), 0);
  const packet = soundPacketOf(sounds, first);
  const begin = Math.max(sounds > 0 ? packet - SOUND_RUN_UP : packet, first);
  const frameRate = !video || video.variable ? 0 : video.frameRate;
  return {
    conversion: { origin, duration, seeks, picture: cell === null ? null : { cell }, sound: start === null ? null : { begin } },
    request: {
      type: 'cut-converted',
      picture: copiesPicture
        ? { file, kept: pictures, late: late < LEAST_LATE ? 0 : late }
        : cell === null
          ? null
          : { origin, from: pictures, cell, frameRate },
      sound: start === null ? null : { index, from: sounds, packet, begin },
      duration,
    },
  };
}
