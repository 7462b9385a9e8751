import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '../../../signal-server/crypto.ts';
import { copy, fromUtf8 } from '../../../src/base/bytes.ts';
import { LIMITS } from '../../../src/base/limits.ts';
import { decode, encode } from '../../../src/base/schema.ts';
import { openEntry, type SignedEntry, topicKey, verifyEntry, writeEntry } from '../../../src/records/entry.ts';
import { ITEM_LIFE, isEntryLife, lifeAt, MAX_ENTRY_LIFE } from '../../../src/records/expiry.ts';
import { sign, signedSchema } from '../../../src/records/signed.ts';
import { makeSigner } from '../support/make-signer.ts';

const crypto = createNodeCrypto();
const writer = makeSigner(3);
const topic = topicKey(crypto, 'newest');
const NOW = 1_795_000_000_000;

const write = (options: { name?: string; value?: string; expires?: number } = {}): Promise<SignedEntry> =>
  writeEntry({
    signer: writer,
    topic,
    name: options.name ?? 'a',
    value: fromUtf8(options.value ?? 'v'),
    time: NOW,
    expires: options.expires ?? NOW + 1000,
  });

describe('set entries', () => {
  it('[S7] say their topic and writer, and are signed by that writer', async () => {
    const entry = await write();
    expect(entry.body).toEqual({ topic, writer: writer.publicKey, name: 'a', time: NOW, expires: NOW + 1000, value: fromUtf8('v') });
    expect(await verifyEntry(crypto, entry)).toBe(true);
  });

  it('[S7] have a topic that is not the key of anything else by that name', () => {
    expect(topicKey(crypto, 'newest')).toBe(topic);
    expect(topicKey(crypto, 'newest ')).not.toBe(topic);
    expect(Buffer.from(crypto.hash(fromUtf8('newest'))).toString('hex')).not.toContain(topic);
  });

  it('[S13] do not verify when anything was changed, or as a record', async () => {
    const entry = await write();
    const body = copy(entry.signed.body);
    body[30] = (body[30] as number) ^ 1; // in the writer's key
    expect(await verifyEntry(crypto, openEntry({ ...entry.signed, body }) as SignedEntry)).toBe(false);
    const asRecord = openEntry(await sign(writer, 'kadreel/record/1', entry.signed.body)) as SignedEntry;
    expect(await verifyEntry(crypto, asRecord)).toBe(false);
  });

  it('[F6] that were read are not changed by what becomes of the message', async () => {
    const entry = await write();
    const message = encode(signedSchema, entry.signed);
    const opened = openEntry(decode(signedSchema, message) as SignedEntry['signed']) as SignedEntry;
    message.fill(0);
    expect(opened).toEqual(entry);
  });

  it('are null when the bytes hold none', async () => {
    const { signed } = await write();
    expect(openEntry({ ...signed, body: signed.body.slice(1) })).toBeNull();
  });

  it('[S8] live at most 7 days, and more than nothing', async () => {
    await expect(write({ expires: NOW })).rejects.toMatchObject({ code: 'invalid' });
    await expect(write({ expires: NOW + MAX_ENTRY_LIFE + 1 })).rejects.toMatchObject({ code: 'invalid' });
    await expect(write({ expires: NOW + MAX_ENTRY_LIFE })).resolves.toBeDefined();
    expect(isEntryLife(5, 5)).toBe(false);
    expect(isEntryLife(5, 6)).toBe(true);
    expect(isEntryLife(5, 5 + MAX_ENTRY_LIFE)).toBe(true);
    expect(isEntryLife(5, 6 + MAX_ENTRY_LIFE)).toBe(false);
  });

  it('are refused when they are too large', async () => {
    await expect(write({ name: 'n'.repeat(65) })).rejects.toMatchObject({ code: 'too-large' });
    await expect(write({ value: 'v'.repeat(LIMITS.entryValue + 1) })).rejects.toMatchObject({ code: 'too-large' });
    await expect(write({ name: 'n'.repeat(64), value: 'v'.repeat(LIMITS.entryValue) })).resolves.toBeDefined();
  });
});

const HOUR = 3_600_000;

describe('expiry', () => {
  it('[S12] [S15] is whole among the k nearest, then a day, halved for each bit of distance', () => {
    expect(lifeAt(0)).toBe(ITEM_LIFE);
    expect(lifeAt(1)).toBe(12 * HOUR);
    for (let bits = 1; bits < 20; bits++) expect(lifeAt(bits + 1)).toBe(lifeAt(bits) / 2);
  });
});
