/** Addresses of open nodes that are remembered (design §5; docs/protocol.md, rule R4). */
import { expect, test } from 'vitest';
import { createMemoryStore } from '../../../signal-server/memory-store.ts';
import { createOpenList } from '../../../src/node/open-list.ts';

const store = () => createMemoryStore(1e6);
const many = (name: string, count: number) => Array.from({ length: count }, (_, i) => `ws://${name}-${i}/ws`);

test('configured ones come first, then who answered, then what was heard; our own is left out', () => {
  const list = createOpenList({ store: store(), configured: ['ws://own/', 'ws://a/'], own: 'ws://own/' });
  list.hear(['ws://b/', 'ws://own/', 'ws://a/', 'http://no/', 'ws://c/']);
  list.proven('ws://c/');
  expect(list.all()).toEqual(['ws://a/', 'ws://c/', 'ws://b/']);
  list.proven('ws://own/');
  list.proven('javascript:alert(1)');
  expect(list.all()).toEqual(['ws://a/', 'ws://c/', 'ws://b/']);
});

test('a flood of names pushes out other names, never an address that answered', () => {
  const list = createOpenList({ store: store(), configured: [], own: null });
  for (const url of many('good', 3)) list.proven(url);
  list.hear(many('bad', 500));
  for (const url of many('worse', 500)) list.hear([url]);
  expect(list.all().slice(0, 3).sort()).toEqual(many('good', 3));
  expect(list.all().length).toBeLessThanOrEqual(32);
});

test('the list is there at the next start, also when the disk failed once', async () => {
  const disk = store();
  const list = createOpenList({ store: disk, configured: [], own: null });
  list.proven('ws://a/');
  list.hear(['ws://b/', 'ws://c/']);
  await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  const next = createOpenList({ store: disk, configured: ['ws://b/'], own: null });
  next.proven('ws://d/');
  await next.load();
  expect(next.all()).toEqual(['ws://b/', 'ws://d/', 'ws://a/', 'ws://c/']);
  await disk.write([{ table: 'meta', key: 'open-nodes', value: new Uint8Array(3) }]);
  const broken = createOpenList({ store: disk, configured: ['ws://b/'], own: null });
  await broken.load();
  expect(broken.all()).toEqual(['ws://b/']);
});

test('what a person adds comes after the configured ones, pushes nothing out, and is gone when it is taken back', () => {
  const list = createOpenList({ store: store(), configured: ['ws://a/'], own: 'ws://own/' });
  list.proven('ws://b/');
  list.hear(['ws://c/', 'ws://d/']);
  for (const url of ['ws://d/', 'ws://e/', 'ws://b/', 'ws://a/', 'ws://own/', 'ws://e/']) list.add(url);
  expect(list.added()).toEqual(['ws://d/', 'ws://e/', 'ws://b/']);
  expect(list.all()).toEqual(['ws://a/', 'ws://d/', 'ws://e/', 'ws://b/', 'ws://c/']);
  list.hear(['ws://e/']);
  list.proven('ws://e/');
  list.remove('ws://e/');
  list.remove('ws://b/');
  expect(list.all()).toEqual(['ws://a/', 'ws://d/', 'ws://c/']);
  expect(() => list.add('https://example.org')).toThrow('is not the address of an open node');
});
