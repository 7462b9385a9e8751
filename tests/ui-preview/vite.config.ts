/** Builds the preview of the user interface: `npx vite build --config tests/ui-preview/vite.config.ts --outDir <folder>`. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import solid from 'vite-plugin-solid';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: at('.'),
  publicDir: at('../../public'),
  plugins: [solid()],
  build: { emptyOutDir: true, target: 'es2023', cssMinify: false },
});
