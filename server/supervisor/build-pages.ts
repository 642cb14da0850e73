/**
 * Builds the pages with Vite into DATA_DIR/pages, only when a source changed since (a hash of all sources is kept
 * beside the build: about 20 ms to find out). The old build serves until the new one takes its place.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { childEnvironment, projectDir } from "../config.ts";
import type { Logger } from "../log.ts";
import { Refusal } from "../refusal.ts";
import { compressAll } from "./compress-pages.ts";

const SOURCES = [
  "server/pages/**/*",
  "client-sdk/**/*.ts",
  "server/supervisor/*-pages.ts",
  "package-lock.json",
  "package.json",
];
const configFile = "server/pages/vite.config.ts";

/** @throws Refusal with Vite's words when the pages do not build */
export async function buildPages(
  dataDir: string,
  log: Logger,
  signal?: AbortSignal,
): Promise<void> {
  if (!existsSync(join(projectDir, configFile))) {
    log.warn(`there are no pages to build (${configFile} is missing)`);
    return;
  }
  const target = join(dataDir, "pages");
  const mark = join(target, ".sources");
  const sources = hashOfSources();
  if (existsSync(mark) && readFileSync(mark, "utf8") === sources) return;

  log.info("building the pages");
  const startedAtMs = performance.now();
  const fresh = `${target}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  await vite(fresh, signal);
  await compressAll(fresh);
  writeFileSync(join(fresh, ".sources"), sources);
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
  log.info({ tookMs: Math.round(performance.now() - startedAtMs) }, "the pages are built");
}

function hashOfSources(): string {
  const hash = createHash("sha256");
  const files = globSync(SOURCES, { cwd: projectDir, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.toSorted()) {
    hash.update(file.slice(projectDir.length)).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

async function vite(outDir: string, signal: AbortSignal | undefined): Promise<void> {
  const args = [
    join(projectDir, "node_modules/vite/bin/vite.js"),
    "build",
    join(projectDir, "server/pages"),
  ];
  const options = [
    "--config",
    join(projectDir, configFile),
    "--outDir",
    outDir,
    "--emptyOutDir",
    "--logLevel",
    "warn",
  ];
  const child = spawn(process.execPath, [...args, ...options], {
    cwd: projectDir,
    env: childEnvironment(undefined, { NO_COLOR: "1" }),
    stdio: ["ignore", "pipe", "pipe"],
    ...(signal === undefined ? {} : { signal }),
  });
  const said: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once("error", reject);
  child.once("close", resolve);
  if ((await promise) !== 0) {
    throw new Refusal(
      `the pages do not build: ${withoutStack(Buffer.concat(said).toString("utf8"))}`,
    );
  }
}

const withoutStack = (text: string): string =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("    at "))
    .join("\n");
