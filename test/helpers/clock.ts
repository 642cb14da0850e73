/**
 * Wall clocks that are wrong, of single processes: libfaketime in front of the C library. Monotonic clocks stay as they are, as
 * they do where a real clock is set.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Env = Readonly<Record<string, string>>;

function library(): string {
  const found = readdirSync("/usr/lib")
    .map((name) => `/usr/lib/${name}/faketime/libfaketime.so.1`)
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error("apt-get install faketime");
  return found;
}

const seconds = (offsetMs: number): string =>
  `${offsetMs < 0 ? "-" : "+"}${(Math.abs(offsetMs) / 1000).toFixed(3)}s`;

/** Environment of a Node process whose clock is off by so much. */
export const clockOff = (offsetMs: number): Env => ({
  LD_PRELOAD: library(),
  FAKETIME: seconds(offsetMs),
  FAKETIME_DONT_FAKE_MONOTONIC: "1",
});

export interface SetClock {
  /** Of a redis-server whose clock this is. */
  readonly env: Env;
  /** From now on it is off by so much. */
  set(offsetMs: number): void;
  stop(): void;
}

/** A clock that can be set while its process runs. */
export function settableClock(): SetClock {
  const dir = mkdtempSync(join(tmpdir(), "dropcast-clock-"));
  const file = join(dir, "offset");
  const set = (offsetMs: number): void => writeFileSync(file, seconds(offsetMs));
  set(0);
  // Redis' allocator asks for the time before libfaketime is ready; the C library's own does not.
  const libc = /\S+\/libc\.so\.6/.exec(readFileSync("/proc/self/maps", "utf8"))?.[0];
  return {
    env: {
      LD_PRELOAD: [library(), libc].filter(Boolean).join(":"),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
    set,
    stop: () => rmSync(dir, { recursive: true, force: true }),
  };
}
