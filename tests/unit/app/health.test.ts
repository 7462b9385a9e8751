/** The line at the top of the page, against a node that is made up. */
import { describe, expect, test } from 'vitest';
import type { NodeHealth } from '../../../src/app/api.ts';
import { createHealthMonitor, type HealthyNode } from '../../../src/app/health.ts';
import { fail } from '../../../src/base/errors.ts';
import type { NodeId } from '../../../src/kademlia/key.ts';
import { createTestClock } from './test-clock.ts';

const ID = '0123456789012345678901234567890123456789' as NodeId;

function bench() {
  const clock = createTestClock(1_000);
  const listeners = new Set<() => void>();
  let links: { readonly contact: { readonly open: string | null } }[] = [];
  const disk = { bytes: 0, broken: false, served: 0 };
  const node: HealthyNode = {
    contact: { id: ID, publicKey: new Uint8Array(32), open: null, via: [], coordinate: null, nat: null, stun: null },
    links: () => links as unknown as ReturnType<HealthyNode['links']>,
    onLinks(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stats: () => ({
      links: { tabs: 0, openNodes: 0 },
      contacts: 0,
      malformed: 0,
      calls: 0,
      relayed: 0,
      served: disk.served,
      received: { store: 0, tabs: 0, openNodes: 0 },
      corruptHolders: 0,
    }),
    groups: {
      async usage() {
        if (disk.broken) throw fail('closed', 'The disk is gone.');
        return { groups: 1, bytes: disk.bytes, others: 0 };
      },
    },
  };
  const monitor = createHealthMonitor({ node, clock, quota: 1_000 });
  const told: NodeHealth[] = [];
  return {
    clock,
    disk,
    monitor,
    told,
    listeners,
    listen: () => monitor.listen((health) => told.push(health)),
    phase: () => told.at(-1)?.phase,
    link(...open: (string | null)[]) {
      links = open.map((url) => ({ contact: { open: url } }));
      for (const listener of [...listeners]) listener();
    },
    async pass(ms: number) {
      clock.advance(ms);
      await new Promise(setImmediate);
    },
  };
}

describe('the phase', () => {
  test('is joining at first, alone after a while without a link', async () => {
    const at = bench();
    at.listen();
    expect(at.phase()).toBe('joining');
    await at.pass(7_000);
    expect(at.phase()).toBe('joining');
    await at.pass(4_000);
    expect(at.phase()).toBe('alone');
    expect(at.told.at(-1)?.problem).toMatch(/check that you are online/);
  });

  test('is alone after a while also when the disk does not answer', async () => {
    const at = bench();
    at.disk.broken = true;
    at.listen();
    for (let n = 0; n < 4; n++) await at.pass(3_000);
    expect(at.phase()).toBe('alone');
  });

  test('is online with an open node, peers-only with tabs alone, alone at once when the last link has gone', async () => {
    const at = bench();
    at.listen();
    at.link('ws://open/ws', null);
    await at.pass(200);
    expect(at.told.at(-1)).toMatchObject({ phase: 'online', links: { tabs: 1, openNodes: 1 }, openNodes: ['ws://open/ws'], problem: null });
    at.link(null);
    await at.pass(200);
    expect(at.phase()).toBe('peers-only');
    at.link();
    await at.pass(200);
    expect(at.phase()).toBe('alone');
    at.link('ws://open/ws');
    await at.pass(200);
    expect(at.phase()).toBe('online');
  });
});

describe('telling', () => {
  test('is done once for a burst of links, and not at all when nothing changed', async () => {
    const at = bench();
    at.listen();
    await at.pass(0);
    const before = at.told.length;
    for (let n = 1; n <= 20; n++) at.link(...Array.from({ length: n }, () => null));
    await at.pass(200);
    expect(at.told.length).toBe(before + 1);
    expect(at.told.at(-1)?.links.tabs).toBe(20);
    await at.pass(60_000);
    expect(at.told.length).toBe(before + 1);
  });

  test('follows what is kept and served', async () => {
    const at = bench();
    at.listen();
    at.disk.bytes = 70;
    at.disk.served = 30;
    await at.pass(3_000);
    expect(at.told.at(-1)).toMatchObject({ kept: { bytes: 70, quota: 1_000 }, served: 30 });
  });

  test('ends with its cancel and with close, which leaves no timer', async () => {
    const at = bench();
    const cancel = at.listen();
    cancel();
    at.link(null);
    await at.pass(3_000);
    expect(at.told).toHaveLength(1);
    at.link();
    at.monitor.close();
    expect(at.clock.pending()).toBe(0);
    expect(at.listeners.size).toBe(0);
  });
});
