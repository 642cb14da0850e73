/**
 * Makes this machine able to run Dropcast: `prestart` and `pretest`. Plain JavaScript, built-ins only, Node 20 or
 * newer: it runs before anything is installed, under whatever Node npm itself runs on. In this order: the npm
 * packages, Node 22, system packages (Redis; for tests also Chromium and Chinese fonts), the mediasoup worker. Silent
 * and about 0.1 s when nothing is missing. Exits with 1 and the remedy, every missing package in one line, when it
 * may not install them itself.
 *
 *     node server/setup/install.mjs [start | test | packages]
 *
 * `packages` stops after the npm packages and Node 22.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ensureNode22, ensurePackages } from "./npm-packages.mjs";
import {
  installSystemPackages,
  mayInstall,
  missingSystemPackages,
  packagesAskedFor,
} from "./system-packages.mjs";

const projectDir = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const [purpose = "start"] = process.argv.slice(2);

const say = (line) => console.log(`set-up: ${line}`);

/** Ends with the remedy. */
const giveUp = (problem) => {
  console.error(`✗ ${problem}`);
  process.exit(1);
};

const oldestNode = 20;
if (Number(process.versions.node.split(".")[0]) < oldestNode) {
  giveUp(
    `Node ${process.versions.node} is too old: install Node ${oldestNode} or newer (it then fetches its own Node 22)`,
  );
}

const problem = ensurePackages(projectDir, say) ?? ensureNode22(projectDir, say);
if (problem !== undefined) giveUp(problem);
if (purpose === "packages") process.exit(0);

let missing = missingSystemPackages(purpose);
if (missing.length > 0 && mayInstall()) {
  say(`installing ${missing.join(", ")}`);
  const failure = installSystemPackages(missing);
  if (failure !== undefined) giveUp(failure);
  missing = missingSystemPackages(purpose);
  if (missing.length > 0) giveUp(`${missing.join(", ")} installed, but still not usable here`);
}

// It says itself what it does; what it lacks joins the one line below.
if (process.env.MEDIA_WORKERS !== "0") {
  const script = path.join(projectDir, "media/worker/ensure-worker.mjs");
  const stdio = ["ignore", "inherit", "pipe"];
  const { status, stderr } = spawnSync(process.execPath, [script], {
    stdio,
    cwd: projectDir,
    encoding: "utf8",
  });
  const asked = status === 0 ? [] : packagesAskedFor(stderr);
  if (status !== 0 && asked.length === 0)
    giveUp(stderr.trim() || "the media worker could not be set up: see above");
  missing = [...missing, ...asked];
}

if (missing.length > 0) {
  giveUp(
    `packages are missing. As root: sudo apt-get install --no-install-recommends ${missing.join(" ")}`,
  );
}
