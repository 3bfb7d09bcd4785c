import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The console is files that the server serves at /console/; it brings the client along, and is nobody's dependency. */
export default defineConfig({
  root: here('.'),
  base: './',
  resolve: { alias: { 'carrel/client': here('../src/client/client.ts') } },
  build: {
    outDir: here('../dist/console'),
    emptyOutDir: true,
    // a policy without inline scripts and images allows for nothing else
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    target: 'es2024',
  },
});
