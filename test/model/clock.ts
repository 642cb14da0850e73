/**
 * A Redis whose wall clock stands still until it is told to move: a real `redis-server` under libfaketime, so that Redis TIME, the one clock
 * of every sale, really jumps, forwards and backwards. No line of Dropcast knows. Its monotonic clock and timeouts run on.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, globSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedisProcess } from "../../server/redis/process.ts";

export interface ClockedRedis {
  readonly url: string;
  readonly nowMs: number;
  /** Moves its clock; negative: back. */
  pass(ms: number): void;
  /** SIGKILL, and started again on the same data. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export async function startClockedRedis(fsyncAlways: boolean): Promise<ClockedRedis> {
  const dir = mkdtempSync(join(tmpdir(), "dropcast-clocked-"));
  const clock = join(dir, "clock");
  const program = join(dir, "redis-server-clocked");
  let nowMs = Date.UTC(2030, 0, 1);
  const set = (): void => {
    writeFileSync(
      `${clock}.new`,
      new Date(nowMs).toISOString().replace("T", " ").replace("Z", "5"),
    );
    // In one step: Redis may be reading it.
    renameSync(`${clock}.new`, clock);
  };
  set();
  const env = [
    `LD_PRELOAD="${preloads().join(" ")}"`,
    `FAKETIME_TIMESTAMP_FILE=${clock}`,
    "FAKETIME_NO_CACHE=1",
    "FAKETIME_DONT_FAKE_MONOTONIC=1",
    "TZ=UTC",
  ];
  writeFileSync(program, `#!/bin/sh\nexec env ${env.join(" ")} redis-server "$@"\n`);
  chmodSync(program, 0o755);
  const server = await startRedisProcess({ dir, program, fsyncAlways });
  return {
    url: server.url,
    get nowMs() {
      return nowMs;
    },
    pass(ms) {
      nowMs += ms;
      set();
    },
    async crash() {
      await server.kill("SIGKILL");
      await server.restart();
    },
    async stop() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/**
 * libfaketime asks for memory before it is ready, and jemalloc, which Debian's Redis uses, asks for the time to give it: the C library's
 * own allocator, named before jemalloc, ends that circle.
 */
function preloads(): readonly string[] {
  const [faketime] = globSync("/usr/lib{,64,/*}/faketime/libfaketime.so.1");
  if (faketime === undefined)
    throw new Error("libfaketime is missing: apt-get install libfaketime");
  const linked = spawnSync("sh", ["-c", 'ldd "$(command -v redis-server)"'], { encoding: "utf8" });
  const libc = /libc\.so\.6 => (\S+)/.exec(linked.stdout)?.[1];
  return libc === undefined ? [faketime] : [faketime, libc];
}
