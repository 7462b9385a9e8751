/** Invented videos: segments of no content, packed and described as real ones are. */
import { sha256 } from '@noble/hashes/sha2.js';
import type { Bytes } from '../../../src/base/bytes.ts';
import type { Crypto, CutRendition } from '../../../src/base/ports.ts';
import { createGroupPacker, type PackedGroup } from '../../../src/media/group.ts';
import type { FinishedRendition, ManifestFacts } from '../../../src/media/manifest-build.ts';

export const crypto: Crypto = {
  hash: (bytes) => sha256(bytes) as Bytes,
  digest: async (bytes) => sha256(bytes) as Bytes,
  verify: async () => false,
};

export const FACTS: ManifestFacts = { title: 'Invented', owner: new Uint8Array(32), created: 1_700_000_000_000, poster: null };

/** The digest of the n-th segment. */
export function digestOf(n: number): Bytes {
  const digest = new Uint8Array(32);
  new DataView(digest.buffer).setUint32(0, n);
  return digest;
}

export function packAll(segments: readonly { size: number; duration: number }[]): PackedGroup[] {
  const packer = createGroupPacker(crypto);
  const groups: PackedGroup[] = [];
  segments.forEach(({ size, duration }, n) => {
    const closed = packer.add({ digest: digestOf(n), size, duration });
    if (closed) groups.push(closed);
  });
  const last = packer.finish();
  if (last) groups.push(last);
  return groups;
}

/** `seconds` of segments that last `duration` microseconds each. */
export function inventRendition(
  kind: 'video' | 'audio',
  options: { seconds: number; duration?: number; size?: number; codecs?: string },
): FinishedRendition {
  const { seconds, duration = 4_004_000, size = 500_000, codecs = kind === 'video' ? 'avc1.64001f' : 'mp4a.40.2' } = options;
  const segments = Array.from({ length: Math.ceil((seconds * 1e6) / duration) }, () => ({ size, duration }));
  const shown = kind === 'video' ? { width: 1280, height: 720, frameRate: 30_000 / 1001 } : { width: 0, height: 0, frameRate: 0 };
  const rendition: CutRendition = { index: 0, kind, codecs, init: new Uint8Array(700), ...shown };
  return { rendition, groups: packAll(segments) };
}
