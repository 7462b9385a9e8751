/** The site's own files on this disk, so that a reload shows the app when every server is down. */

/** A file of the site; `revision` is null where its name holds a hash of the contents. The build makes the list. */
export interface ShellFile {
  readonly url: string;
  readonly revision: string | null;
}

/** Answers every navigation: the app finds its page by the address. */
const INDEX = '/index.html';
const PREFIX = 'kadreel-shell-';
/** Large files that are kept once they were used: ffmpeg's 32 MB would make a first visit slow for nothing. */
const LATER = 'kadreel-later';
/** Paths that a navigation must bring to the server: its own pages, not the app's. */
const SERVED = /^\/(hls|ws|status|metrics)(\/|$)/;

export interface AppShell {
  /** Fetches all files; keeps those that an older version has under the same hashed name. Rejects when one can't be had. */
  install(): Promise<void>;
  /** Removes what older versions left. */
  activate(): Promise<void>;
  /** The answer when the request is for the site, else null: decided at once, as `respondWith` needs it. */
  answer(request: Request): Promise<Response> | null;
}

export function createAppShell(files: readonly ShellFile[], origin: string): AppShell {
  const name = PREFIX + versionOf(files);
  const known = new Set(files.map((file) => file.url));
  const open = (): Promise<Cache> => caches.open(name);

  const kept = async (path: string, request: Request): Promise<Response> => {
    const response = await (await open()).match(path);
    return response ?? fetch(request); // the browser may have cleared the cache
  };

  return {
    async install() {
      const cache = await open();
      await Promise.all(
        files.map(async ({ url, revision }) => {
          if (revision === null && (await cache.match(url))) return;
          const older = revision === null ? await caches.match(url) : undefined;
          const response = older ?? (await fetch(url, { cache: revision === null ? 'default' : 'no-cache' }));
          if (!response.ok) throw new Error(`${url} answered ${response.status}`);
          await cache.put(url, response.redirected ? direct(response) : response);
        }),
      );
    },

    async activate() {
      const names = await caches.keys();
      await Promise.all(names.filter((other) => other.startsWith(PREFIX) && other !== name).map((other) => caches.delete(other)));
    },

    answer(request) {
      const { pathname, origin: theirs } = new URL(request.url);
      if (request.method !== 'GET' || theirs !== origin) return null;
      if (request.mode === 'navigate') return SERVED.test(pathname) ? null : kept(INDEX, request);
      if (known.has(pathname)) return kept(pathname, request);
      return pathname.startsWith('/assets/') && !request.headers.has('range') ? later(request, pathname) : null;
    },
  };
}

/** From the disk, else from the network and then kept: a file below /assets/ never changes, its name has a hash. */
async function later(request: Request, pathname: string): Promise<Response> {
  const cache = await caches.open(LATER);
  const present = await cache.match(pathname);
  if (present) return present;
  const response = await fetch(request);
  if (response.status === 200) {
    const copy = response.clone();
    // Not waited for: the page gets its bytes as they come. A full disk only means to fetch it again next time.
    void replace(cache, pathname, copy).catch(() => undefined);
  }
  return response;
}

async function replace(cache: Cache, pathname: string, response: Response): Promise<void> {
  await cache.put(pathname, response);
  const stem = stemOf(pathname);
  for (const { url } of await cache.keys()) {
    const other = new URL(url).pathname;
    if (other !== pathname && stemOf(other) === stem) await cache.delete(other);
  }
}

/** `/assets/name-<hash>.ext` without the hash: files of one stem are versions of one thing. */
function stemOf(pathname: string): string {
  return pathname.replace(/-[\w-]{8}(\.\w+)$/, '$1');
}

/** The same answer, without the mark of a redirect, which a navigation must not have. */
function direct(response: Response): Response {
  const { status, statusText, headers } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** A short name for this very list of files (FNV-1a, 32 bits). */
function versionOf(files: readonly ShellFile[]): string {
  let hash = 0x811c9dc5;
  for (const character of JSON.stringify(files)) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
