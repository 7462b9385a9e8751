/** The last line of each page. */
import type { JSX } from 'solid-js';
import { Mark } from './logo.tsx';

export function Footer(): JSX.Element {
  return (
    <footer class="foot">
      <Mark />
      <p>No video server. Every video here is kept and served by the tabs of the people who watch.</p>
    </footer>
  );
}
