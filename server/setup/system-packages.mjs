/**
 * What Dropcast needs of the operating system beside Node, by Debian's package names. Installs only as root; a
 * freshly installed redis-server is kept from starting as a service: Dropcast runs its own.
 */
import { spawnSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

const onPath = (...names) =>
  (process.env.PATH ?? "")
    .split(path.delimiter)
    .some((dir) => names.some((name) => isExecutable(path.join(dir, name))));

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there or not for us: the answer, not a failure.
    return false;
  }
}

const hasRedis = () => {
  if (process.env.REDIS_URL) return true;
  const { REDIS_SERVER_BIN: named } = process.env;
  return named ? isExecutable(named) : onPath("redis-server", "valkey-server");
};

const hasChromium = () =>
  onPath("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

/** Any CJK font, by file name: fc-list would take longer than everything else here. */
const hasChineseFont = () =>
  ["/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts"].some(holdsChineseFont);
const holdsChineseFont = (dir) =>
  existsSync(dir) &&
  readdirSync(dir, { recursive: true }).some((name) =>
    /(CJK|WenQuanYi|wqy|PingFang|SourceHan).*\.(ttc|ttf|otf)$/i.test(name),
  );

/** A library that shifts the clock of single processes, for fault tests; Debian keeps it in a folder of its own. */
const hasFaketime = () =>
  existsSync("/usr/lib") &&
  readdirSync("/usr/lib").some((name) => existsSync(`/usr/lib/${name}/faketime/libfaketime.so.1`));

const NEEDS = [
  { name: "redis-server", for: ["start", "test"], isThere: hasRedis },
  { name: "chromium", for: ["test"], isThere: hasChromium },
  { name: "fonts-noto-cjk", for: ["test"], isThere: hasChineseFont },
  { name: "faketime", for: ["test"], isThere: hasFaketime },
];

/** @param purpose "start" or "test" */
export const missingSystemPackages = (purpose) =>
  NEEDS.filter((need) => need.for.includes(purpose) && !need.isThere()).map(({ name }) => name);

export const mayInstall = () => process.getuid?.() === 0 && onPath("apt-get");

/** What build-worker.sh, not being root, asks for. */
export const packagesAskedFor = (said) =>
  (/apt-get install -y --no-install-recommends((?: [a-z0-9+.-]+)+)/.exec(said)?.[1] ?? "")
    .split(" ")
    .filter(Boolean);

/** @returns the problem with its remedy, or undefined */
export function installSystemPackages(names) {
  const policy = forbidServiceStarts();
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const apt = (...args) =>
      spawnSync("apt-get", ["-q", "-o", "Dpkg::Use-Pty=0", ...args], { env, encoding: "utf8" });
    // A repository out of reach fails the update, but not necessarily the install.
    apt("update");
    const { status, stdout, stderr } = apt("install", "-y", "--no-install-recommends", ...names);
    if (status !== 0) {
      const lastWords = `${stdout}\n${stderr}`.trim().split("\n").slice(-8).join("\n");
      return `apt-get install ${names.join(" ")} failed. Run it by hand, then this again:\n${lastWords}`;
    }
    return undefined;
  } finally {
    policy();
  }
}

/** Debian asks this script before it starts a service: 101 forbids it. @returns takes it away again */
function forbidServiceStarts() {
  const script = "/usr/sbin/policy-rc.d";
  if (existsSync(script)) return () => {};
  writeFileSync(script, "#!/bin/sh\nexit 101\n");
  chmodSync(script, 0o755);
  return () => rmSync(script, { force: true });
}
