/// <reference path="./ffmpeg-core.d.ts" />
/**
 * A worker for one run of ffmpeg or ffprobe, which hold the thread until they end; whoever started the worker cancels by ending
 * it. The source is read where it lies, and the output goes out as it is written: neither is ever in memory as a whole.
 */
import createFFmpegCore, { type FfmpegCore } from '@ffmpeg/core';
import wasmUrl from '@ffmpeg/core/wasm?url';
import threadedWasmUrl from '@ffmpeg/core-mt/wasm?url';
import threadUrl from '@ffmpeg/core-mt/worker?url';
import threadedUrl from '@ffmpeg/core-mt?url';
import { asKadreelError, fail } from '../base/errors.ts';
import { FFMPEG_OUTPUT, FFMPEG_PICTURE, FFMPEG_SOURCE, type FfmpegReply, type FfmpegRequest } from './media-protocol.ts';

declare const self: DedicatedWorkerGlobalScope;

/** ffmpeg writes 32 KiB at a time; so much is gathered before it is sent (bytes). */
const CHUNK = 1024 * 1024;
/** Lines of the log that are kept to say why it failed. */
const LOG_LINES = 40;
const PROBE_OUTPUT = '/probe.json';
const MICROSECONDS = 1e6;

self.onmessage = ({ data }: MessageEvent<FfmpegRequest>): void => {
  const work = data.type === 'probe' ? probe(data.file) : run(data);
  work.catch((error: unknown) => {
    const { code, message } = asKadreelError(error);
    reply({ type: 'failed', code, message });
  });
};

function reply(message: FfmpegReply, transfer: Transferable[] = []): void {
  self.postMessage(message, transfer);
}

async function probe(file: Blob): Promise<void> {
  const core = await load();
  const input = mount(core, file);
  // Its exit code says nothing here; when it finds nothing it writes an empty object, or no file at all.
  core.ffprobe('-v', 'error', '-print_format', 'json', '-show_format', '-show_streams', '-o', PROBE_OUTPUT, input);
  const json = core.FS.analyzePath(PROBE_OUTPUT).exists ? core.FS.readFile(PROBE_OUTPUT, { encoding: 'utf8' }) : '{}';
  reply({ type: 'probed', json });
}

async function run({ file, inputArgs = [], args, threads = false, module }: FfmpegRequest & { type: 'run' }): Promise<void> {
  const core = await (threads ? loadThreaded() : load(module));
  const input = mount(core, file);
  const outputs = ([FFMPEG_OUTPUT, FFMPEG_PICTURE] as const).map((path, minor) => outputDevice(core, path, minor));
  const log: string[] = [];
  core.setLogger(({ message }) => {
    log.push(message);
    if (log.length > LOG_LINES) log.shift();
  });
  core.setProgress(({ time }) => {
    // What is made should not wait here: it is lost with the tab.
    for (const output of outputs) output.flush();
    reply({ type: 'time', seconds: Math.max(time, 0) / MICROSECONDS });
  });
  const named = args.map((arg) => (arg === FFMPEG_SOURCE ? input : arg));
  const exit = core.exec('-hide_banner', ...inputArgs, '-i', input, ...named, FFMPEG_OUTPUT);
  if (exit !== 0) throw fail('unsupported', `This file could not be converted: ${reason(log)}. Try another format, for example MP4.`);
  for (const output of outputs) output.flush();
  reply({ type: 'finished' });
}

async function load(module?: WebAssembly.Module | 'tell'): Promise<FfmpegCore> {
  const compiled = module && module !== 'tell' ? module : WebAssembly.compileStreaming(fetch(wasmUrl));
  const core = await start(createFFmpegCore, compiled);
  if (module === 'tell') reply({ type: 'compiled', module: await compiled });
  return core;
}

/** The build with threads: 32 workers, each of which loads the same script, and a heap that all of them share. */
async function loadThreaded(): Promise<FfmpegCore> {
  const scripting: Promise<typeof import('@ffmpeg/core')> = import(/* @vite-ignore */ threadedUrl);
  const [{ default: create }, module] = await Promise.all([scripting, WebAssembly.compileStreaming(fetch(threadedWasmUrl))]).catch(
    notLoaded,
  );
  // Threads may never start, or wait for each other for ever: who reads this looks at the clock from now on.
  reply({ type: 'loaded' });
  const [script, wasmURL, workerURL] = [threadedUrl, threadedWasmUrl, threadUrl].map((url) => new URL(url, self.location.href).href);
  // It reads the addresses of its parts behind the `#` of its own.
  return start(create, module, `${script}#${btoa(JSON.stringify({ wasmURL, workerURL }))}`);
}

async function start(
  create: typeof createFFmpegCore,
  compiled: WebAssembly.Module | Promise<WebAssembly.Module>,
  mainScriptUrlOrBlob?: string,
): Promise<FfmpegCore> {
  let failed: ((error: unknown) => void) | null = null;
  const broken = new Promise<never>((_, reject) => {
    failed = reject;
  });
  const core = create({
    ...(mainScriptUrlOrBlob && { mainScriptUrlOrBlob }),
    instantiateWasm(imports, receive) {
      const instantiate = async (): Promise<void> => {
        const module = await compiled;
        const instance = await WebAssembly.instantiate(module, imports);
        receive(instance, module);
      };
      instantiate().catch(failed);
      return {};
    },
  });
  return Promise.race([core, broken]).catch(notLoaded);
}

function notLoaded(error: unknown): never {
  const why = error instanceof Error ? error.message : String(error);
  throw fail(
    'missing-feature',
    `The converter could not be loaded (${why}). Check the connection and try again, or publish an MP4 with H.264 and AAC.`,
  );
}

/** The name matters little, its ending a bit: some formats are known by nothing else. */
function mount(core: FfmpegCore, file: Blob): string {
  const ending = file instanceof File ? (/\.[a-z0-9]{1,8}$/i.exec(file.name)?.[0] ?? '') : '';
  const name = `source${ending}`;
  core.FS.mkdir('/input');
  core.FS.mount(core.FS.filesystems.WORKERFS, { blobs: [{ name, data: file }] }, '/input');
  return `/input/${name}`;
}

/** A device that sends away what is written to it. `minor`: its number. */
function outputDevice(core: FfmpegCore, to: typeof FFMPEG_OUTPUT | typeof FFMPEG_PICTURE, minor: number): { flush(): void } {
  let chunk = new Uint8Array(CHUNK);
  let filled = 0;
  const send = (): void => {
    const bytes = chunk.slice(0, filled);
    filled = 0;
    if (bytes.length > 0) reply({ type: 'chunk', bytes, to }, [bytes.buffer]);
  };
  const device = core.FS.makedev(64, minor);
  core.FS.registerDevice(device, {
    write(stream, buffer, offset, length) {
      if (filled + length > CHUNK) send();
      if (length > chunk.length) chunk = new Uint8Array(length);
      chunk.set(buffer.subarray(offset, offset + length), filled);
      filled += length;
      stream.position += length;
      return length;
    },
    // Fragmented MP4 is written from front to back; ffmpeg only asks where it is.
    llseek: (stream) => stream.position,
  });
  core.FS.mkdev(to, device);
  return { flush: send };
}

/** The line of the log that tells most: the last that names an error. */
function reason(log: readonly string[]): string {
  const line = [...log]
    .reverse()
    .find((text) => /error|invalid|could not|not found|unsupported|unknown|does not contain|no such/i.test(text));
  return (line ?? log.at(-1) ?? 'the converter stopped')
    .replace(/^\[[^\]]*\]\s*/, '')
    .replaceAll('/input/', '')
    .trim();
}
