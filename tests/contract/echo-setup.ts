/** Starts the echo server beside the tests that run in a browser; `inject('echoUrl')` tells them where. */
import type { TestProject } from 'vitest/node';
import { startEchoServer } from './echo-server.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startEchoServer();
  project.provide('echoUrl', server.url);
  return server.close;
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** `ws://host:port` of an echo server. */
    echoUrl: string;
  }
}
