/**
 * The k6 program: the one on PATH, else the one in our cache, else built there from its Go module (a few minutes, once).
 * k6 is a program of its own under the AGPL, run and never linked.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

/** k6 cannot be had; the message says what to do. */
export class NoK6 extends Error {
  override readonly name = "NoK6";
}

const K6_VERSION = "v1.8.1";
const LEAST_GO = "1.25";
/** TypeScript in imports, and `k6/websockets`. */
const LEAST_MAJOR = 1;

const cacheDir = (): string =>
  join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "dropcast", `k6-${K6_VERSION}`);

const onPath = (name: string): string | undefined =>
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find(isProgram);

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there or not for us: the answer, not a failure.
    return false;
  }
}

/** `k6 v1.8.1 (…)` or `k6.exe v…` → 1 */
const majorOf = (k6: string): number =>
  Number(/ v(\d+)\./.exec(execFileSync(k6, ["version"], { encoding: "utf8" }))?.[1] ?? 0);

export async function findK6(say: (text: string) => void): Promise<string> {
  const installed = onPath("k6");
  if (installed !== undefined && majorOf(installed) >= LEAST_MAJOR) return installed;
  if (installed !== undefined)
    say(`${installed} is older than k6 ${LEAST_MAJOR}.0, which our scenarios need`);
  const built = join(cacheDir(), "k6");
  if (existsSync(built)) return built;
  const go = onPath("go");
  if (go === undefined)
    throw new NoK6(
      `k6 is not on PATH, and there is no Go to build it with: install k6 (https://grafana.com/docs/k6), or Go ${LEAST_GO} or newer (https://go.dev/dl)`,
    );
  say(
    `building k6 ${K6_VERSION} from its Go module into ${cacheDir()}: some minutes, only this once`,
  );
  await build(go, say);
  return built;
}

const SAY_EVERY_MS = 5000;

async function build(go: string, say: (text: string) => void): Promise<void> {
  const dir = cacheDir();
  const unfinished = `${dir}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  const child = spawn(go, ["install", "-v", `go.k6.io/k6@${K6_VERSION}`], {
    // Its go.mod names a toolchain to download; the one here will do.
    env: { ...process.env, GOBIN: unfinished, GOTOOLCHAIN: "local", GOFLAGS: "", CGO_ENABLED: "0" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let packages = 0;
  let lastLines: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const lines = text.split("\n").filter((line) => line !== "");
    packages += lines.length;
    lastLines = [...lastLines, ...lines].slice(-5);
  });
  const startedMs = performance.now();
  const progress = setInterval(
    () =>
      say(
        `  ${Math.round((performance.now() - startedMs) / 1000)} s: ${packages} packages, now ${lastLines.at(-1) ?? ""}`,
      ),
    SAY_EVERY_MS,
  );
  const [code] = (await once(child, "exit")) as [number | null];
  clearInterval(progress);
  if (code === 0) {
    rmSync(dir, { recursive: true, force: true });
    renameSync(unfinished, dir);
    return;
  }
  rmSync(unfinished, { recursive: true, force: true });
  throw new NoK6(
    `k6 could not be built with ${go} (Go ${LEAST_GO} or newer is needed):\n${lastLines.join("\n")}`,
  );
}
