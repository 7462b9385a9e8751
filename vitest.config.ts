import { playwright } from '@vitest/browser-playwright';
import solid from 'vite-plugin-solid';
import { defineConfig } from 'vitest/config';
import packageJson from './package.json' with { type: 'json' };
import { CHROMIUM_FLAGS, findChromium } from './tests/chromium.mjs';

const executablePath = findChromium() ?? 'chromium';
const define = { __KADREEL_VERSION__: JSON.stringify(packageJson.version) };

/** Two cores are what a test machine surely has; a browser takes more than one by itself. */
const WORKERS = 2;

export default defineConfig({
  test: {
    reporters: process.env.KADREEL_TEST_REPORT ? ['default', 'json'] : ['default'],
    ...(process.env.KADREEL_TEST_REPORT && { outputFile: { json: process.env.KADREEL_TEST_REPORT } }),
    teardownTimeout: 10_000,
    projects: [
      {
        plugins: [solid({ ssr: true })],
        define: { ...define }, // a copy each: vitest empties the object it gets
        test: {
          name: 'node',
          environment: 'node',
          include: ['tests/{unit,property,sim}/**/*.test.{ts,tsx}', 'tests/contract/**/*.node.test.ts'],
          maxWorkers: WORKERS,
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        // The ports that only a browser can implement: IndexedDB, WebRTC, WebCrypto.
        define: { ...define }, // a copy each: vitest empties the object it gets
        test: {
          name: 'in-browser',
          include: ['tests/contract/**/*.browser.test.ts'],
          globalSetup: ['tests/contract/echo-setup.ts'],
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 30_000,
          sequence: { groupOrder: 1 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: { executablePath, args: CHROMIUM_FLAGS } }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        // Whole tabs against a whole open node, driven from Node.
        define: { ...define }, // a copy each: vitest empties the object it gets
        test: {
          name: 'browser',
          environment: 'node',
          include: ['tests/browser/**/*.test.ts'],
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        // The lab of real networks in short, where it can run: root and network namespaces.
        define: { ...define }, // a copy each: vitest empties the object it gets
        test: {
          name: 'lab',
          environment: 'node',
          include: ['tests/lab/**/*.test.ts'],
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
