/** Does one job with this browser's converter: for oneself, or for others. */
import { type Bytes, concat } from '../base/bytes.ts';
import type { Transcoder } from '../base/ports.ts';
import { readSource, segmentOf } from '../media/transcode-chunk.ts';
import { argumentsFor, type MadeSegment, mostBytes, type TranscodeJob } from '../media/transcode-job.ts';

/** Beside what the segment may be: the boxes that the converter writes, which are not those of the segment (bytes). */
const AROUND = 1024 * 1024;

/** Rejects with `invalid` for a source that is none, before the converter sees it; else as `Transcoder.convert`. */
export async function doJob(
  transcoder: Pick<Transcoder, 'convert'>,
  job: TranscodeJob,
  { source, signal }: { readonly source: Bytes; readonly signal: AbortSignal },
): Promise<MadeSegment> {
  const chunk = readSource(job, source);
  const what = argumentsFor(job, chunk.timescale);
  const output = await transcoder.convert({ source: concat(job.init, source), ...what, most: mostBytes(job) + AROUND }, signal);
  return segmentOf(chunk, output);
}
