/**
 * Builds the three pages: watch.html, host.html and ops.html with hashed assets beside them. Nothing is inlined, so that
 * the server can forbid inline scripts. Output goes to PAGES_OUT_DIR, by default <project>/.dropcast/pages.
 */
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const pagesDir = dirname(fileURLToPath(import.meta.url));
const projectDir = resolve(pagesDir, "../..");

export default defineConfig({
  root: pagesDir,
  base: "/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: process.env["PAGES_OUT_DIR"] ?? resolve(projectDir, ".dropcast/pages"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: ["watch.html", "host.html", "ops.html"].map((page) => resolve(pagesDir, page)),
    },
  },
});
