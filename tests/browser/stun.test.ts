/** A real Chromium, its addresses hidden behind mDNS names as it comes, asks the STUN responder where it is seen. */
import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { nodeClock } from '../../signal-server/clock.ts';
import { createStunResponder } from '../../signal-server/stun.ts';
import { launch } from './harness/chromium.ts';

/** Addresses at which this machine is seen from outside itself: Chromium asks no STUN server from the loopback ones. */
const outer = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
  .map(({ address }) => address);
const families = (['IPv4', 'IPv6'] as const).map((family) => ({
  family,
  address: outer.find((address) => isIPv4(address) === (family === 'IPv4')),
}));

test.each(families)('over $family it learns its address', async ({ address }) => {
  if (!address) return console.info('no such address on this machine: not tested');
  const responder = createStunResponder({ port: 0, clock: nodeClock });
  const port = await responder.ready;
  const browser = await launch();
  const page = await browser.newPage();
  const candidates = await page.evaluate(
    async (urls) => {
      const connection = new RTCPeerConnection({ iceServers: [{ urls }] });
      connection.createDataChannel('');
      const found: RTCIceCandidate[] = [];
      const all = new Promise<void>((resolve) => {
        connection.onicecandidate = ({ candidate }) => (candidate ? found.push(candidate) : resolve());
      });
      await connection.setLocalDescription();
      await all;
      connection.close();
      return found.map(({ type, address }) => ({ type, address: address?.replace(/^\[|\]$/g, '') }));
    },
    `stun:${isIPv4(address) ? address : `[${address}]`}:${port}`,
  );
  expect(candidates.filter(({ type }) => type === 'host').map((candidate) => candidate.address)).toEqual(
    expect.arrayContaining([expect.stringMatching(/\.local$/)]),
  );
  expect(candidates).toContainEqual({ type: 'srflx', address });
  expect(responder.counters()).toMatchObject({ malformed: 0, limited: 0 });
  await browser.close();
  await responder.close();
});
