import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '../../../signal-server/crypto.ts';
import { copy, fromUtf8 } from '../../../src/base/bytes.ts';
import { LIMITS } from '../../../src/base/limits.ts';
import { decode, encode } from '../../../src/base/schema.ts';
import { openRecord, recordKey, type SignedRecord, verifyRecord, writeRecord } from '../../../src/records/record.ts';
import { sign, signedSchema } from '../../../src/records/signed.ts';
import { compareClocks, type Device, parseDevice } from '../../../src/records/vector-clock.ts';
import { makeSigner } from '../support/make-signer.ts';

const crypto = createNodeCrypto();
const owner = makeSigner(1);
const device = parseDevice('00000000000000d1') as Device;
const NOW = 1_795_000_000_000;

const write = (
  options: { now?: number; previous?: SignedRecord | null; name?: string; value?: string; by?: Device } = {},
): Promise<SignedRecord> =>
  writeRecord({
    signer: owner,
    device: options.by ?? device,
    name: options.name ?? 'video/1',
    value: fromUtf8(options.value ?? 'one'),
    now: options.now ?? NOW,
    previous: options.previous ?? null,
  });

describe('records', () => {
  it('[S2] say who owns them, and are signed by that owner', async () => {
    const record = await write();
    expect(record.body).toMatchObject({ owner: owner.publicKey, name: 'video/1', time: NOW, value: fromUtf8('one') });
    expect(record.body.clock).toEqual([{ device, counter: NOW }]);
    expect(await verifyRecord(crypto, record)).toBe(true);
  });

  it('[S2] are found by the hash of owner and name', () => {
    const key = recordKey(crypto, owner.publicKey, 'video/1');
    expect(key).toMatch(/^[0-9a-f]{40}$/);
    expect(recordKey(crypto, owner.publicKey, 'video/1')).toBe(key);
    expect(recordKey(crypto, owner.publicKey, 'video/2')).not.toBe(key);
    expect(recordKey(crypto, makeSigner(2).publicKey, 'video/1')).not.toBe(key);
  });

  it('[S4] are later than the version that they replace, whatever the wall clock says', async () => {
    const first = await write();
    const skewed = await write({ previous: first, now: NOW - 86_400_000 });
    expect(skewed.body.time).toBe(NOW + 1);
    expect(compareClocks(skewed.body.clock, first.body.clock)).toBe('after');
    const sameTick = await write({ previous: skewed, now: NOW + 1 });
    expect(sameTick.body.time).toBe(NOW + 2);
    const later = await write({ previous: first, now: NOW + 5000.7 });
    expect(later.body.time).toBe(NOW + 5000);
  });

  it('[S3] count for the device that writes', async () => {
    const other = parseDevice('00000000000000a2') as Device;
    const second = await write({ previous: await write(), by: other });
    expect(second.body.clock).toEqual([
      { device: other, counter: NOW + 1 },
      { device, counter: NOW },
    ]);
  });

  it('[S13] do not verify with a changed body, a changed signature, another owner or another domain', async () => {
    const record = await write();
    const changed = (signed: SignedRecord['signed']): SignedRecord => openRecord(signed) as SignedRecord;
    const body = copy(record.signed.body);
    body[body.length - 1] = 0;
    const signature = copy(record.signed.signature);
    signature[5] = (signature[5] as number) ^ 1;
    expect(await verifyRecord(crypto, changed({ ...record.signed, body }))).toBe(false);
    expect(await verifyRecord(crypto, changed({ ...record.signed, signature }))).toBe(false);
    expect(await verifyRecord(crypto, changed(await sign(makeSigner(2), 'kadreel/record/1', record.signed.body)))).toBe(false);
    expect(await verifyRecord(crypto, changed(await sign(owner, 'kadreel/entry/1', record.signed.body)))).toBe(false);
  });

  it('[F6] that were read are not changed by what becomes of the message', async () => {
    const record = await write();
    const message = encode(signedSchema, record.signed);
    const opened = openRecord(decode(signedSchema, message) as SignedRecord['signed']) as SignedRecord;
    message.fill(0);
    expect(opened).toEqual(record);
    expect(await verifyRecord(crypto, opened)).toBe(true);
  });

  it('are null when the bytes hold none', async () => {
    const { signed } = await write();
    expect(openRecord({ ...signed, body: fromUtf8('nonsense') })).toBeNull();
    expect(openRecord({ ...signed, body: signed.body.slice(0, -1) })).toBeNull();
    expect(openRecord({ ...signed, body: new Uint8Array([...signed.body, 0]) })).toBeNull();
  });

  it('are refused when they are too large, or follow another one', async () => {
    const tooLarge = { code: 'too-large' };
    await expect(write({ name: 'é'.repeat(33) })).rejects.toMatchObject(tooLarge);
    await expect(write({ value: 'x'.repeat(LIMITS.recordValue + 1) })).rejects.toMatchObject(tooLarge);
    await expect(write({ previous: await write({ name: 'other' }) })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('fit with the largest name, clock and value', async () => {
    let record = await write({ name: 'n'.repeat(64), value: 'x'.repeat(LIMITS.recordValue) });
    for (let i = 0; i < 20; i++) {
      const by = parseDevice(i.toString(16).padStart(16, '0')) as Device;
      record = await write({ name: 'n'.repeat(64), value: 'x'.repeat(LIMITS.recordValue), previous: record, by });
    }
    expect(record.body.clock).toHaveLength(LIMITS.clockDevices);
    expect(decode(signedSchema, encode(signedSchema, record.signed))).not.toBeNull();
  });
});
