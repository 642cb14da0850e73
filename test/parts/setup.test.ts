import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
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

test("[SETUP11] a package whose folder is gone, or that npm's list has in another version, is installed again; one for other machines is not missed", async () => {
  const home = mkdtempSync(join(tmpdir(), "dropcast-packages-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const wanted = {
    "": {},
    "node_modules/here": { version: "1.0.0" },
    "node_modules/gone": { version: "1.0.0" },
    "node_modules/old": { version: "2.0.0" },
    "node_modules/elsewhere": { version: "1.0.0", optional: true },
  };
  for (const name of ["here", "old"]) {
    mkdirSync(join(home, "node_modules", name), { recursive: true });
    writeFileSync(join(home, "node_modules", name, "package.json"), "{}");
  }
  writeFileSync(join(home, "package-lock.json"), JSON.stringify({ packages: wanted }));
  const { missingPackages } = (await import(
    pathToFileURL(join(projectDir, "server/setup/npm-packages.mjs")).href
  )) as { missingPackages: (projectDir: string) => readonly string[] };
  expect(missingPackages(home)).toEqual([
    "node_modules/here",
    "node_modules/gone",
    "node_modules/old",
  ]);
  const installed = { ...wanted, "node_modules/old": { version: "1.0.0" } };
  writeFileSync(
    join(home, "node_modules/.package-lock.json"),
    JSON.stringify({ packages: installed }),
  );
  expect(missingPackages(home)).toEqual(["node_modules/gone", "node_modules/old"]);
});
