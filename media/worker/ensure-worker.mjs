/**
 * Makes sure that mediasoup has a worker binary which runs on this machine. Built-ins only, Node 20 or newer,
 * safe to run at every start (50 ms when there is nothing to do): `node media/worker/ensure-worker.mjs`.
 *
 * In this order: MEDIASOUP_WORKER_BIN if it runs · the binary already in node_modules · one built earlier, from the
 * user's cache folder · mediasoup's own prebuilt, if it can be reached within 5 s · a build from the source in the
 * npm package (build-worker.sh). The binary ends up where mediasoup looks for it by itself. Exits with 1 and the
 * remedy when none of these gives a worker; `MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD=1` never asks the network.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { arch, homedir, platform, release, tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROBE_MS = 5000;
const DOWNLOAD_MS = 60_000;
const RECIPE = ["build-worker.sh", "subprojects"];

const here = path.dirname(fileURLToPath(import.meta.url));
const say = (line) => console.log(`media worker: ${line}`);

/** A worker started by hand exits with 41: mediasoup's own check. */
const runs = (binary) =>
  existsSync(binary) &&
  spawnSync(binary, { env: {}, stdio: "ignore", timeout: 5000 }).status === 41;

const filesUnder = (entry) =>
  statSync(entry).isDirectory()
    ? readdirSync(entry)
        .sort()
        .flatMap((name) => filesUnder(path.join(entry, name)))
    : [entry];

/** Names what a cached binary was built from. */
const recipeHash = () => {
  const hash = createHash("sha256");
  for (const file of RECIPE.flatMap((name) => filesUnder(path.join(here, name))))
    hash.update(path.relative(here, file)).update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
};

const place = (binary, target) => {
  mkdirSync(path.dirname(target), { recursive: true });
  const temporary = `${target}.${process.pid}`;
  copyFileSync(binary, temporary);
  chmodSync(temporary, 0o755);
  renameSync(temporary, target);
};

/** Fetches mediasoup's prebuilt into `target`. False (with the reason said) when it cannot be had or does not run here. */
const download = async (version, target) => {
  if (process.env.MEDIASOUP_SKIP_WORKER_PREBUILT_DOWNLOAD) return false;
  const base =
    process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL ||
    "https://github.com/versatica/mediasoup/releases/download";
  const kernel = platform() === "linux" ? `-kernel${release().split(".")[0]}` : "";
  const url = `${base}/${version}/mediasoup-worker-${version}-${platform()}-${arch()}${kernel}.tgz`;
  const folder = mkdtempSync(path.join(tmpdir(), "dropcast-worker-"));
  try {
    const probe = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(PROBE_MS) });
    if (!probe.ok) throw new Error(`HTTP ${probe.status}`);
    say("downloading mediasoup's prebuilt (a few seconds)");
    const answer = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const archive = path.join(folder, "worker.tgz");
    writeFileSync(archive, Buffer.from(await answer.arrayBuffer()));
    if (spawnSync("tar", ["-xzf", archive, "-C", folder], { stdio: "ignore" }).status !== 0)
      throw new Error("not a tar archive");
    const binary = path.join(folder, "mediasoup-worker");
    if (!existsSync(binary)) throw new Error("no mediasoup-worker in the archive");
    chmodSync(binary, 0o755);
    if (!runs(binary)) throw new Error("it does not run on this system");
    place(binary, target);
    return true;
  } catch (error) {
    say(`no prebuilt to be had (${error.cause?.code ?? error.message})`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Runs build-worker.sh: its phases and every tenth of the compilation to the terminal, all of it to `logFile`. */
const build = async (packageDir, target, logFile) => {
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = createWriteStream(logFile);
  const child = spawn("sh", [path.join(here, "build-worker.sh"), packageDir, target], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const startedAtMs = Date.now();
  const last = [];
  let tenth = 0;
  const take = (line) => {
    log.write(`${line}\n`);
    last.push(line);
    if (last.length > 15) last.shift();
    if (line.startsWith("== ")) say(line.slice(3));
    const step = /^\[(\d+)\/(\d+)\]/.exec(line);
    // The generator before the compilation counts to less than ten.
    if (step === null || Number(step[2]) < 50) return;
    const now = Math.floor((10 * Number(step[1])) / Number(step[2]));
    if (now > tenth)
      say(`compiled ${now * 10} % (${Math.round((Date.now() - startedAtMs) / 1000)} s)`);
    tenth = Math.max(tenth, now);
  };
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", take);
  const status = await new Promise((resolve) => {
    child.once("error", (error) => (take(String(error)), resolve(1)));
    child.once("close", resolve);
  });
  log.end();
  if (status !== 0)
    console.error(`${last.join("\n")}\nmedia worker: the build failed (full log: ${logFile})`);
  return status === 0;
};

/** @returns true when mediasoup has a worker that runs; the reason has been printed otherwise */
export const ensureWorker = async () => {
  const given = process.env.MEDIASOUP_WORKER_BIN;
  if (given) {
    if (runs(given)) return true;
    console.error(
      `media worker: MEDIASOUP_WORKER_BIN names ${given}, which does not run here. Unset it, or name one that does.`,
    );
    return false;
  }
  const packageDir = path.resolve(
    path.dirname(createRequire(import.meta.url).resolve("mediasoup")),
    "../..",
  );
  const { version } = JSON.parse(readFileSync(path.join(packageDir, "package.json"), "utf8"));
  const installed = path.join(packageDir, "worker/out/Release/mediasoup-worker");
  if (runs(installed)) return true;

  const cacheRoot = process.env.XDG_CACHE_HOME || path.join(homedir(), ".cache");
  const folder = path.join(
    cacheRoot,
    "dropcast",
    `mediasoup-worker-${version}-${platform()}-${arch()}-${recipeHash()}`,
  );
  const cached = path.join(folder, "mediasoup-worker");
  // A cached worker that no longer starts (a library was upgraded away) is made anew.
  if (!runs(cached) && !(await download(version, cached))) {
    say(`building mediasoup-worker ${version} from source, once for this user (about 4 minutes)`);
    if (!(await build(packageDir, cached, path.join(folder, "build.log")))) {
      console.error(
        "media worker: none. Set MEDIASOUP_WORKER_BIN to one, or do what is said above, then: node media/worker/ensure-worker.mjs",
      );
      return false;
    }
  }
  place(cached, installed);
  say("ready");
  return true;
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.exit((await ensureWorker()) ? 0 : 1);
