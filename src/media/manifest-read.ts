/** Reads a manifest that came from somebody else, and says what is wrong with one. */
import { LIMITS } from '../base/limits.ts';
import { decode } from '../base/schema.ts';
import { listDuration } from './index-pages.ts';
import { type Manifest, manifestSchema, type Rendition } from './manifest.ts';

/** The manifest, its bytes copied, or null when it is none or describes nothing that can be played. Never throws. */
export function decodeManifest(bytes: Uint8Array): Manifest | null {
  if (bytes.length > LIMITS.value) return null;
  const manifest = decode(manifestSchema, new Uint8Array(bytes));
  return manifest && manifestProblem(manifest) === null ? manifest : null;
}

/**
 * Codecs end up in a playlist's quoted string and in a MIME type: what is not a letter, a digit, a dot or a hyphen, with a comma
 * between, has no place there (RFC 6381 §3.2).
 */
const CODECS = /^[A-Za-z0-9][A-Za-z0-9.-]*(,[A-Za-z0-9][A-Za-z0-9.-]*)*$/;

/** Pixels and frames (thousandths a second) beyond any screen. */
const MAX_SIDE = 16_384;
const MAX_FRAME_RATE = 1_000_000;

/** What is wrong with it, as the end of a sentence; null when nothing is. */
export function manifestProblem(manifest: Manifest): string | null {
  if (manifest.renditions.length === 0) return 'it has neither picture nor sound';
  for (const rendition of manifest.renditions) {
    const problem = renditionProblem(rendition);
    if (problem) return problem;
  }
  const longest = Math.max(...manifest.renditions.map(inlineDuration));
  const allInline = manifest.renditions.every(({ groups }) => groups.type === 'inline');
  if (allInline ? longest !== manifest.duration : longest > manifest.duration) return 'its duration is not that of its segments';
  return null;
}

function renditionProblem(rendition: Rendition): string | null {
  if (!CODECS.test(rendition.codecs)) return 'its codecs are not named as they should be';
  if (rendition.init.length === 0) return 'a rendition has no initialisation segment';
  if (rendition.bandwidth === 0 || rendition.averageBandwidth > rendition.bandwidth) return 'its bandwidths contradict each other';
  const { width, height, frameRate } = rendition;
  if (rendition.kind === 'audio' && (width !== 0 || height !== 0 || frameRate !== 0)) return 'sound has a size in it';
  if (rendition.kind === 'video' && (width === 0 || height === 0)) return 'its picture has no size';
  if (width > MAX_SIDE || height > MAX_SIDE || frameRate > MAX_FRAME_RATE) return 'its picture is too large';
  const { groups } = rendition;
  if (groups.type === 'pages') return groups.pages.length === 0 ? 'a rendition has no segments' : null;
  if (groups.groups.length === 0 || groups.groups.some((group) => group.durations.length === 0)) return 'a rendition has no segments';
  return null;
}

/** Milliseconds; 0 for a list that is on pages. */
function inlineDuration({ groups }: Rendition): number {
  return groups.type === 'pages' ? 0 : listDuration(groups.groups);
}
