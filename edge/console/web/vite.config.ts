import { defineConfig } from "vite";

// A folder of plain files for the console's own server: no address but ours is in them.
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    sourcemap: false,
    reportCompressedSize: true,
  },
  test: { include: ["src/**/*.test.ts"] },
} as never);
