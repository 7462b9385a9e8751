/** Which STUN and TURN servers a connection is made with. */
import { expect, test } from 'vitest';
import { createIceServers } from '../../../src/app/ice-servers.ts';
import { EMPTY } from '../../../src/base/bytes.ts';
import type { Link } from '../../../src/node/link.ts';
import { createBench } from '../node/support/bench.ts';
import { fakeLink } from '../node/support/fake-link.ts';

function setup(iceServers: readonly { urls: string }[] = []) {
  const bench = createBench();
  let links: Link[] = [];
  const servers = createIceServers({ network: { current: { openNodes: [], iceServers } }, links: () => links });
  const link = (open: string | null, stun: number | null): void => {
    links.push(fakeLink({ contact: { ...bench.someone(open).contact, stun }, storeId: EMPTY }));
  };
  const unlink = (): void => {
    links = [];
  };
  return { servers, link, unlink };
}

const [MINE, YOURS] = [{ urls: 'stun:mine.example:3478' }, { urls: 'turn:yours.example' }];

test('two open nodes that answer STUN are asked, the latest, also after their links have ended', () => {
  const { servers, link, unlink } = setup();
  link(null, null);
  link('wss://quiet.example/ws', null);
  expect(servers.current()).toEqual([]);
  link('wss://a.example/ws', 3478);
  link('ws://[2001:db8::1]:8080/ws', 40_000);
  const all = [{ urls: 'stun:a.example:3478' }, { urls: 'stun:[2001:db8::1]:40000' }];
  expect(servers.current()).toEqual(all);
  unlink();
  expect(servers.current()).toEqual(all);
  link('ws://c.example:8080/ws', 3478);
  expect(servers.found()).toEqual(['stun:[2001:db8::1]:40000', 'stun:c.example:3478']);
});

test.each([[[MINE]], [[MINE, YOURS]]])('those that a person set come first, then so many that they are two, but one at least', (set) => {
  const { servers, link } = setup(set);
  expect(servers.current()).toEqual(set);
  link('wss://a.example/ws', 3478);
  link('wss://b.example/ws', 3478);
  expect(servers.current()).toEqual([...set, { urls: 'stun:b.example:3478' }]);
});

test('one that was set is not found once more', () => {
  const { servers, link } = setup([{ urls: 'stun:a.example:3478' }]);
  link('wss://a.example/ws', 3478);
  expect(servers.current()).toEqual([{ urls: 'stun:a.example:3478' }]);
});
