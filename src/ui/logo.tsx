/** The sign and the word. */
import type { JSX } from 'solid-js';

/** A film reel whose holes are nodes, linked. */
export function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 64 64" aria-hidden="true">
      <circle class="mark-reel" cx="32" cy="32" r="30" />
      <path class="mark-holes" d={HOLES} />
      <path class="mark-links" d="M32 32 32 15M32 32 48.2 26.7M32 32 21.9 45.9M48.2 26.7 42.1 45.9" />
      <circle class="mark-hub" cx="32" cy="32" r="5" />
    </svg>
  );
}

/** Drawn, not set: the same on every system. */
export function Wordmark(): JSX.Element {
  return (
    <svg class="wordmark" viewBox="0 0 196 44" role="img" aria-label="Kadreel">
      <path d="M6 4V38M6 27 20.5 14M11.5 22.5 22 38" />
      <circle cx="42" cy="26" r="11.5" />
      <path d="M53.5 14V38" />
      <circle cx="77" cy="26" r="11.5" />
      <path d="M88.5 4V38" />
      <path d="M101 14V38M101 26A11 11 0 0 1 112 14.6" />
      <path d="M118.6 26H141.4A11.4 11.4 0 1 0 137 35" />
      <path d="M149.6 26H172.4A11.4 11.4 0 1 0 168 35" />
      <path d="M183 4V38" />
    </svg>
  );
}

/** Five holes of radius 6.4, 17 from the middle. */
const HOLES = Array.from({ length: 5 }, (_, hole) => {
  const angle = ((72 * hole - 90) * Math.PI) / 180;
  const left = (32 + 17 * Math.cos(angle) - 6.4).toFixed(2);
  const right = (32 + 17 * Math.cos(angle) + 6.4).toFixed(2);
  const level = (32 + 17 * Math.sin(angle)).toFixed(2);
  return `M${left} ${level}A6.4 6.4 0 1 1 ${right} ${level}A6.4 6.4 0 1 1 ${left} ${level}Z`;
}).join('');
