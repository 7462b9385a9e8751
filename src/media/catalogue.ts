/** A video's manifest with all its groups, as bytes: what a page hands to the service worker. */
import type { Bytes } from '../base/bytes.ts';
import { decode, encode, list, refine, type Schema, struct } from '../base/schema.ts';
import type { Catalogue } from './hls-responder.ts';
import { type GroupReference, type Manifest, manifestSchema, pageSchema } from './manifest.ts';
import { manifestProblem } from './manifest-read.ts';

/** Groups that one page of the schema takes at most (items), and pages here: 64 k groups are days of video at any bitrate. */
const PAGE = 1024;
const MAX_PAGES = 64;
const MAX_RENDITIONS = 16;

interface Paged {
  readonly manifest: Manifest;
  readonly groups: readonly (readonly (readonly GroupReference[])[])[];
}

const catalogueSchema: Schema<Catalogue> = refine(
  struct<Paged>({ manifest: manifestSchema, groups: list(list(pageSchema, MAX_PAGES), MAX_RENDITIONS) }),
  {
    parse: ({ manifest, groups }) =>
      groups.length === manifest.renditions.length && manifestProblem(manifest) === null
        ? { manifest, groups: groups.map((pages) => pages.flat()) }
        : null,
    format: ({ manifest, groups }) => ({ manifest, groups: groups.map(pagesOf) }),
  },
);

/** The catalogue as it goes to the service worker. */
export function encodeCatalogue(catalogue: Catalogue): Bytes {
  return encode(catalogueSchema, catalogue);
}

/** The catalogue, or null for bytes that are none. Its binary fields are views on `bytes`. */
export function decodeCatalogue(bytes: Uint8Array): Catalogue | null {
  return decode(catalogueSchema, bytes);
}

function pagesOf(groups: readonly GroupReference[]): readonly (readonly GroupReference[])[] {
  const pages: (readonly GroupReference[])[] = [];
  for (let at = 0; at < groups.length; at += PAGE) pages.push(groups.slice(at, at + PAGE));
  return pages;
}
