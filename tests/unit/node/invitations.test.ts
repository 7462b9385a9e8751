/** Links that two people make by hand (docs/protocol.md, rules I). */
import { afterEach, describe, expect, test } from 'vitest';
import { hashKey } from '../../../src/kademlia/key.ts';
import { createInvitations, INVITATION_LIFE, type Invitations } from '../../../src/node/invitations.ts';
import { createWorld, type SimNode, type World } from '../../sim/world.ts';
import { createBench } from './support/bench.ts';
import { createMemoryPairers, type MemoryPairers } from './support/memory-pairer.ts';
import { makePeers, type PeersEnd } from './support/peers-bench.ts';

interface Device extends PeersEnd {
  readonly invitations: Invitations;
}

function setUp(seed = 1) {
  const bench = createBench(seed);
  const network = createMemoryPairers(bench);
  const device = (options: Partial<Parameters<typeof makePeers>[1]> = {}): Device => {
    const end = makePeers(bench, { listeners: new Map(), ...options });
    return { ...end, invitations: invitationsOf(end, { bench, network }) };
  };
  return { bench, network, device };
}

function invitationsOf(end: PeersEnd, { bench, network }: { bench: ReturnType<typeof createBench>; network: MemoryPairers }): Invitations {
  const { clock, crypto } = bench;
  return createInvitations({ pairer: network.create(), clock, crypto, self: end.contact.id, adopt: end.peers.adopt });
}

describe('an invitation', () => {
  test('[I4] and its reply make a link that both sides have proven, and leave nothing behind', async () => {
    const { bench, network, device } = setUp();
    const [host, guest] = [device(), device()];
    const invitation = await bench.run(host.invitations.invite());
    expect(guest.invitations.inviterOf(invitation.code)).toBe(host.contact.id);
    const joining = await bench.run(guest.invitations.join(invitation.code));
    await bench.run(invitation.accept(joining.reply));
    await bench.run(joining.linked);
    expect(host.peers.get(guest.contact.id)).toMatchObject({ initiated: true });
    expect(guest.peers.get(host.contact.id)).toMatchObject({ initiated: false });
    expect(network.held).toBe(0);
    expect(await bench.code(invitation.accept(joining.reply))).toBe('closed');
    host.peers.close('end');
    guest.peers.close('end');
    await bench.advance(10_000);
    expect(bench.pending).toBe(0);
  });

  test('[I4] is a link of our own to both, and not a guest’s', async () => {
    const { bench, device } = setUp();
    const asked: { initiated: boolean; guest: boolean }[] = [];
    const admit = (_: unknown, side: { initiated: boolean; guest: boolean }) => {
      asked.push(side);
      return { taken: true, instead: null };
    };
    const [host, guest] = [device({ admit }), device({ admit })];
    const invitation = await bench.run(host.invitations.invite());
    const joining = await bench.run(guest.invitations.join(invitation.code));
    await bench.run(invitation.accept(joining.reply));
    await bench.run(joining.linked);
    expect(asked).toEqual([
      { initiated: true, guest: false },
      { initiated: true, guest: false },
    ]);
    host.peers.close('end');
    guest.peers.close('end');
  });

  test('[I2] [I3] a code that is damaged, of another invitation, of the wrong kind or our own is told, and the right one still works', async () => {
    const { bench, device } = setUp();
    const [host, guest] = [device(), device()];
    const invitation = await bench.run(host.invitations.invite());
    const other = await bench.run(host.invitations.invite());
    const forOther = await bench.run(guest.invitations.join(other.code));
    expect(await bench.code(invitation.accept(forOther.reply))).toBe('invalid');
    await expect(invitation.accept(forOther.reply)).rejects.toThrow('another invitation');
    const joining = await bench.run(guest.invitations.join(invitation.code));
    expect(await bench.code(forOther.linked)).toBe('closed');
    await expect(invitation.accept(joining.reply.slice(0, -3))).rejects.toMatchObject({ code: 'corrupt' });
    await expect(invitation.accept(invitation.code)).rejects.toThrow('not a reply code');
    expect(await bench.code(guest.invitations.join(joining.reply))).toBe('invalid');
    expect(await bench.code(guest.invitations.join('nonsense'))).toBe('corrupt');
    expect(await bench.code(host.invitations.join(invitation.code))).toBe('invalid');
    await bench.run(invitation.accept(joining.reply));
    await bench.run(joining.linked);
    other.close();
    host.peers.close('end');
    guest.peers.close('end');
  });

  test('[I6] ends after 10 minutes without an answer, on both sides, says so, and frees what it held', async () => {
    const { bench, network, device } = setUp();
    const [host, guest] = [device(), device()];
    const invitation = await bench.run(host.invitations.invite());
    const joining = await bench.run(guest.invitations.join(invitation.code));
    expect(network.held).toBe(2);
    await bench.advance(INVITATION_LIFE - 20);
    expect(network.held).toBe(2);
    await bench.advance(100);
    expect(network.held).toBe(0);
    expect(await bench.code(joining.linked)).toBe('timeout');
    await expect(invitation.accept(joining.reply)).rejects.toThrow('nobody replied within 10 minutes');
    host.peers.close('end');
    guest.peers.close('end');
    expect(bench.pending).toBe(0);
  });

  test('[I6] that the person ends frees its connection, as do four newer ones and the end of the node', async () => {
    const { bench, network, device } = setUp();
    const host = device();
    const first = await bench.run(host.invitations.invite());
    first.close();
    first.close();
    expect(network.held).toBe(0);
    expect(await bench.code(first.accept('x'))).toBe('closed');
    const second = await bench.run(host.invitations.invite());
    for (let n = 0; n < 4; n++) await bench.run(host.invitations.invite());
    expect(network.held).toBe(4);
    expect(await bench.code(second.accept('x'))).toBe('closed');
    host.invitations.close();
    expect(network.held).toBe(0);
    expect(await bench.code(host.invitations.invite())).toBe('closed');
    host.peers.close('end');
    expect(bench.pending).toBe(0);
  });

  test('[I6] that finds no path is spent, and says what to do', async () => {
    const { bench, network, device } = setUp();
    const [host, guest] = [device(), device()];
    network.walled = true;
    const invitation = await bench.run(host.invitations.invite());
    const joining = await bench.run(guest.invitations.join(invitation.code));
    const accepted = invitation.accept(joining.reply);
    await expect(invitation.accept(joining.reply)).rejects.toThrow('given already');
    await expect(bench.run(accepted)).rejects.toThrow(/No direct path.*another network/s);
    expect(await bench.code(invitation.accept(joining.reply))).toBe('unreachable');
    guest.invitations.close();
    expect(network.held).toBe(0);
    host.peers.close('end');
    guest.peers.close('end');
  });

  test('[I4] who answers in the place of the invited one is shown out', async () => {
    const { bench, network, device } = setUp();
    const [host, guest, thief] = [device(), device(), device()];
    const invitation = await bench.run(host.invitations.invite());
    // The thief replies in the guest’s name: its code says the guest’s id, and its greeting can’t prove that.
    const stolen = createInvitations({
      pairer: network.create(),
      clock: bench.clock,
      crypto: bench.crypto,
      self: guest.contact.id,
      adopt: thief.peers.adopt,
    });
    const joining = await bench.run(stolen.join(invitation.code));
    expect(await bench.code(invitation.accept(joining.reply))).toBe('corrupt');
    expect(host.peers.links()).toEqual([]);
    for (const one of [host, guest, thief]) one.peers.close('end');
  });
});

describe('a newcomer without any open node', () => {
  let world: World;
  afterEach(() => world.close());

  test('[I4] joins through its inviter, finds its neighbours, and reads what was stored before it came', async () => {
    world = createWorld({ seed: 5, bootstrap: ['ws://open-0/ws'] });
    const open = world.add({ open: 'ws://open-0/ws' });
    const tabs = Array.from({ length: 12 }, () => world.add());
    await world.scheduler.advance(20_000);
    open.crash();
    await world.scheduler.advance(30_000);
    const value = new TextEncoder().encode('stored before');
    const key = hashKey(world.crypto, value);
    await world.run((tabs[0] as SimNode).node.overlay.store(key, { type: 'value', bytes: value }));

    const newcomer = world.add();
    await world.scheduler.advance(5_000);
    expect(newcomer.node.links()).toEqual([]);
    const network = createMemoryPairers({
      clock: world.scheduler.clock,
      random: { bytes: (n) => new Uint8Array(n).fill(n), float: () => 0 },
    });
    const of = (one: SimNode): Invitations =>
      createInvitations({
        pairer: network.create(),
        clock: world.scheduler.clock,
        crypto: world.crypto,
        self: one.id,
        adopt: one.node.peers.adopt,
      });
    const invitation = await world.run(of(tabs[3] as SimNode).invite());
    const joining = await world.run(of(newcomer).join(invitation.code));
    await world.run(invitation.accept(joining.reply));
    await world.run(joining.linked);
    await world.scheduler.advance(20_000);
    expect(
      newcomer.node
        .links()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(tabs.map(({ id }) => id).sort());
    expect(await world.run(newcomer.node.overlay.findValue(key))).toEqual(value);
  });
});
