/** What a browser says of battery and connection, as reasons not to help. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createHelpConditions } from '../../../src/browser/help-conditions.ts';

afterEach(() => vi.unstubAllGlobals());

class Battery extends EventTarget {
  charging: boolean;

  constructor(charging: boolean) {
    super();
    this.charging = charging;
  }

  /** Plugs it in or out. */
  plug(charging: boolean): void {
    this.charging = charging;
    this.dispatchEvent(new Event('chargingchange'));
  }
}

class Connection extends EventTarget {
  saveData?: boolean;
  type?: string;

  change(now: { saveData?: boolean; type?: string }): void {
    Object.assign(this, now);
    this.dispatchEvent(new Event('change'));
  }
}

interface Fake {
  readonly getBattery?: () => Promise<Battery>;
  readonly connection?: Connection;
}

/** The conditions of a browser that says so much, and how often they were told to have changed. */
function open(browser: Fake) {
  vi.stubGlobal('navigator', browser);
  const conditions = createHelpConditions();
  const told = { times: 0 };
  const stop = conditions.onChange(() => told.times++);
  return { conditions, told, stop };
}

const NOTHING = { onBattery: false, metered: false };

describe('the conditions of helping', () => {
  test('a browser that says nothing has no objection', () => {
    expect(open({}).conditions.current()).toEqual(NOTHING);
  });

  test('a battery counts while it is not charged, once the browser has said so, and each change of it is told', async () => {
    const battery = new Battery(false);
    // As in browsers, the function belongs to its navigator.
    const browser: Fake = {
      getBattery() {
        return this === browser ? Promise.resolve(battery) : Promise.reject(new TypeError('Illegal invocation'));
      },
    };
    const { conditions, told, stop } = open(browser);
    expect(conditions.current()).toEqual(NOTHING);
    await expect.poll(() => conditions.current()).toEqual({ onBattery: true, metered: false });
    expect(told.times).toBe(1);
    battery.plug(true);
    expect([conditions.current(), told.times]).toEqual([NOTHING, 2]);
    battery.plug(false);
    expect([conditions.current().onBattery, told.times]).toEqual([true, 3]);
    stop();
    battery.plug(true);
    expect([conditions.current().onBattery, told.times]).toEqual([false, 3]);
  });

  test('a browser that keeps its battery to itself has no objection', async () => {
    const asked = Promise.reject(new DOMException('No.', 'NotAllowedError'));
    const { conditions, told } = open({ getBattery: () => asked });
    await asked.catch(() => undefined);
    expect([conditions.current(), told.times]).toEqual([NOTHING, 0]);
  });

  test.each<[string, { saveData?: boolean; type?: string }, boolean]>([
    ['a person who wants data saved', { saveData: true, type: 'wifi' }, true],
    ['a mobile network', { saveData: false, type: 'cellular' }, true],
    ['wireless', { saveData: false, type: 'wifi' }, false],
    ['a connection of which nothing is known', {}, false],
  ])('%s', (_, says, metered) => {
    const connection = new Connection();
    const { conditions, told } = open({ connection });
    expect(conditions.current()).toEqual(NOTHING);
    connection.change(says);
    expect([conditions.current(), told.times]).toEqual([{ onBattery: false, metered }, 1]);
  });
});
