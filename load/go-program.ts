/**
 * Programs that come as Go modules: the one on PATH, else the one in our cache, else built there (a few minutes, once). They are
 * run as programs of their own and never linked.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

export interface GoProgram {
  readonly name: string;
  /** The module's path, which is its main package too. */
  readonly module: string;
  /** `v1.2.3`. */
  readonly version: string;
  readonly leastGo: string;
  /** Where people get it. */
  readonly site: string;
  /** Whether one found on PATH will do. */
  readonly accepts: (file: string) => boolean;
}

/** The program cannot be had; the message says what to do. */
export class NoProgram extends Error {
  override readonly name = "NoProgram";
}

const cacheDir = ({ name, version }: GoProgram): string =>
  join(
    process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"),
    "dropcast",
    `${name}-${version}`,
  );

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

/** @returns the program if it is here already */
export function installedProgram(program: GoProgram): string | undefined {
  const installed = onPath(program.name);
  if (installed !== undefined && program.accepts(installed)) return installed;
  const built = join(cacheDir(program), program.name);
  return existsSync(built) ? built : undefined;
}

/** @throws NoProgram */
export async function findProgram(
  program: GoProgram,
  say: (text: string) => void,
): Promise<string> {
  const here = installedProgram(program);
  if (here !== undefined) return here;
  const { name, version, leastGo, site } = program;
  const go = onPath("go");
  if (go === undefined)
    throw new NoProgram(
      `${name} is not on PATH, and there is no Go to build it with: install ${name} (${site}), or Go ${leastGo} or newer (https://go.dev/dl)`,
    );
  const dir = cacheDir(program);
  say(`building ${name} ${version} from its Go module into ${dir}: some minutes, only this once`);
  await build(program, go, dir, say);
  return join(dir, name);
}

const SAY_EVERY_MS = 5000;

// oxlint-disable-next-line max-params -- one caller
async function build(
  { name, module, version, leastGo }: GoProgram,
  go: string,
  dir: string,
  say: (text: string) => void,
): Promise<void> {
  const unfinished = `${dir}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  // A module of our own around it: `go install` would also ask for the list of all its versions, which mirrors may lack.
  writeFileSync(
    join(unfinished, "go.mod"),
    `module build\n\ngo ${leastGo}\n\nrequire ${module} ${version}\n`,
  );
  const child = spawn(go, ["build", "-v", "-o", name, module], {
    cwd: unfinished,
    // Its go.mod may name a toolchain to download; the one here will do.
    env: { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "-mod=mod", CGO_ENABLED: "0" },
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
  throw new NoProgram(
    `${name} could not be built with ${go} (Go ${leastGo} or newer is needed):\n${lastLines.join("\n")}`,
  );
}
