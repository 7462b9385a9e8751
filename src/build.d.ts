/** What the build puts in (vite.config.ts, `define`). */

/** `version` of package.json. */
declare const __KADREEL_VERSION__: string;
