import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { projectDir } from "../../server/config.ts";

/** A PATH on which only these programs are found. */
const pathWith = (programs: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(tmpdir(), "dropcast-path-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
};

const install = (purpose: string, path: string, env: Readonly<Record<string, string>> = {}) =>
  spawnSync(process.execPath, [join(projectDir, "server/setup/install.mjs"), purpose], {
    encoding: "utf8",
    env: { HOME: process.env["HOME"], PATH: path, ...env },
  });

test("[SETUP7] with nothing missing the set-up is silent and takes less than 300 ms", () => {
  const path = process.env["PATH"] ?? "";
  install("start", path);
  const startedAtMs = performance.now();
  const { status, stdout, stderr } = install("start", path);
  expect(performance.now() - startedAtMs).toBeLessThan(300);
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
});

test("[SETUP8] where it may not install, every missing package stands in one line, and the exit code is 1", () => {
  const { status, stderr } = install("test", pathWith({}));
  expect(status).toBe(1);
  expect(stderr.trim()).toMatch(
    /^✗ packages are missing\. As root: sudo apt-get install --no-install-recommends redis-server chromium( fonts-noto-cjk)?( faketime)?$/,
  );
});

test("[SETUP9] a REDIS_URL or a Valkey needs no redis-server", () => {
  expect(install("start", pathWith({}), { REDIS_URL: "redis://127.0.0.1:6379" }).status).toBe(0);
  expect(install("start", pathWith({ "valkey-server": "exit 0" })).status).toBe(0);
});
