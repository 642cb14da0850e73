/**
 * Groups of tests, by what they cost: `fast` is pure, `parts` uses real Redis and sockets,
 * `scenario` plays scripts on them, several at a time, `e2e` starts the
 * whole server (one file at a time: the machine is the shared resource), `media` real workers and a browser, `soak` runs only when asked for.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "fast",
          include: ["test/fast/**/*.test.ts", "test/sim/simulation.test.ts"],
          maxWorkers: "100%",
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "parts",
          include: [
            "test/parts/**/*.test.ts",
            "test/model/**/*.test.ts",
            "test/sim/mutants.test.ts",
          ],
          maxWorkers: 2,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "scenario",
          include: ["test/scenario/**/*.test.ts"],
          maxWorkers: 2,
          maxConcurrency: 8,
          hookTimeout: 30_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts", "test/fault/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "media",
          include: ["test/media/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: "soak",
          include: ["test/soak/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 3_600_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
});
