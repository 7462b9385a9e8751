/** Native ffmpeg, against a clock. */
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Milliseconds that it takes to write `output` into an empty folder inside `folder`. */
export async function ffmpegTime(args: readonly string[], folder: string, output: string): Promise<number> {
  const path = join(folder, 'native');
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  const start = performance.now();
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args, join(path, output)]);
  return performance.now() - start;
}
