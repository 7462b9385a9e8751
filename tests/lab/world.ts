/** A network with its servers and browsers, all of which end together: at the end of a part, after a failure, and on Ctrl+C. */
import type { Service } from './command.ts';
import { type HomeBrowser, launchAt } from './home-browser.ts';
import { createNetwork, type Network } from './network.ts';

/** What one part of the lab plays in. */
export interface World {
  readonly network: Network;
  /** Gives a service that ends with the world. */
  serve(service: Promise<Service>): Promise<Service>;
  /** A browser in a namespace; close it, or let it end with the world. */
  browse(host: string): Promise<HomeBrowser>;
}

interface Open extends World {
  close(): Promise<void>;
}

const worlds = new Set<Open>();

/** Makes a world, plays in it, and removes it. */
export async function inWorld<T>(play: (world: World) => Promise<T>): Promise<T> {
  const world = await createWorld();
  try {
    return await play(world);
  } finally {
    await world.close();
  }
}

/** Removes all that there is, for whoever has to end early. */
export async function closeWorlds(): Promise<void> {
  await Promise.all([...worlds].map((world) => world.close()));
}

async function createWorld(): Promise<Open> {
  const network = await createNetwork();
  const services = new Set<Promise<Service>>();
  const browsers = new Set<Promise<HomeBrowser>>();
  const close = async (): Promise<void> => {
    await ended([...browsers].map(async (browser) => (await browser).close()));
    await ended([...services].map(async (service) => (await service).stop()));
    await network.close();
    worlds.delete(world);
  };
  let closing: Promise<void> | null = null;
  const world: Open = {
    network,
    serve(service) {
      services.add(service);
      return service;
    },
    browse(host) {
      const browser = launchAt(host);
      browsers.add(browser);
      return browser;
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
  worlds.add(world);
  return world;
}

/** What never started, or has ended by itself, needs no end. */
async function ended(all: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(all);
}
