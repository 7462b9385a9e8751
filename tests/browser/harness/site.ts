/** The built site behind an open node, as `npm start` serves it, in the process of the tests. */
import { join } from 'node:path';
import { createOpenNode, type OpenNode } from '../../../signal-server/open-node.ts';
import { build, ROOT } from '../../../signal-server/prepare.mjs';
import type { NodeSettings } from '../../../src/node/settings.ts';

export interface Site {
  /** For example `http://localhost:34567`. */
  readonly url: string;
  readonly openNode: OpenNode;
  /** Ends the open node and its port. Idempotent. */
  close(): Promise<void>;
}

/** Builds what changed since the last build and serves it; on a free port when none is given (a site that comes back needs its old one). */
export async function startSite(options: { port?: number; settings?: Partial<NodeSettings> } = {}): Promise<Site> {
  buildForProduction();
  const openNode = createOpenNode({
    port: options.port ?? 0,
    siteDir: join(ROOT, 'dist/site'),
    ...(options.settings && { settings: options.settings }),
  });
  const { url } = await openNode.ready;
  return { url, openNode, close: () => openNode.close() };
}

/** Builds what changed since the last build. vitest says NODE_ENV=test to all its children, and then Vite would build for development: without the service worker. */
export function buildForProduction(): void {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = 'production';
  try {
    build();
  } finally {
    process.env.NODE_ENV = before;
  }
}
