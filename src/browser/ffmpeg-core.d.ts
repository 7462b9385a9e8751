/** What we use of @ffmpeg/core 0.12.10 (FFmpeg 5.1.4), which brings no types. */
declare module '@ffmpeg/core' {
  export default function createFFmpegCore(options: {
    /** Hands over the instance by `receive`; what it returns is not used when it is empty. The threads of a build that has some share the module. */
    instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void): object;
    /** Of a build with threads: its own address, and behind a `#` the addresses of its wasm and its worker as JSON in base64. */
    mainScriptUrlOrBlob?: string;
  }): Promise<FfmpegCore>;

  export interface FfmpegCore {
    readonly FS: EmscriptenFs;
    /** Runs ffmpeg to its end, in this thread. The exit code. */
    exec(...args: string[]): number;
    /** Runs ffprobe to its end, in this thread. What it returns says nothing. */
    ffprobe(...args: string[]): unknown;
    setLogger(logger: (line: { type: 'stdout' | 'stderr'; message: string }) => void): void;
    /** `time` is in microseconds of the output. */
    setProgress(listener: (progress: { progress: number; time: number }) => void): void;
  }

  export interface EmscriptenFs {
    readonly filesystems: { readonly WORKERFS: object };
    analyzePath(path: string): { readonly exists: boolean };
    mkdir(path: string): void;
    mount(filesystem: object, options: { blobs: readonly { name: string; data: Blob }[] }, at: string): void;
    readFile(path: string, options: { encoding: 'utf8' }): string;
    makedev(major: number, minor: number): number;
    registerDevice(device: number, operations: EmscriptenDevice): void;
    mkdev(path: string, device: number): void;
  }

  export interface EmscriptenDevice {
    /** Takes `length` bytes at `offset` of `buffer`, which is the whole heap: copy them. Returns how many were taken. */
    write(stream: { position: number }, buffer: Uint8Array, offset: number, length: number): number;
    llseek(stream: { position: number }, offset: number, whence: number): number;
  }
}
