/**
 * The machine under the benches: which process used how much CPU time and memory (proc(5)), and which core it may use. The
 * server under test runs on core 0, all load on the others, where `taskset` is there to say so; else wherever the system likes.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { findProgram } from "../../server/config.ts";

const taskset = availableParallelism() > 1 ? findProgram(["taskset"]) : undefined;
const lastCore = availableParallelism() - 1;

export const SERVER_CORES = "0";
export const LOAD_CORES = lastCore > 1 ? `1-${lastCore}` : "1";
export const isPinned = taskset !== undefined;

/** What to put before a command so that it runs on these cores. */
export const pinPrefix = (cores: string): readonly string[] =>
  taskset === undefined ? [] : [taskset, "-c", cores];

/** How often a thread may have ended while all of them were moved. */
const MOST_TRIES = 5;

/** Moves a running process, with all its threads. */
export function pin(pid: number, cores: string): void {
  if (taskset === undefined) return;
  for (let n = 1; n <= MOST_TRIES; n++)
    if (spawnSync(taskset, ["-acp", cores, String(pid)], { stdio: "ignore" }).status === 0) return;
  throw new Error(`process ${pid} could not be moved to core ${cores}`);
}

/** Linux on every architecture that Node runs on: sysconf(_SC_CLK_TCK). */
const TICKS_PER_SECOND = 100;

/** User and system time of all its threads since its start. */
export function cpuSecondsOf(pid: number): number {
  try {
    // Nanoseconds on a core, as the scheduler counts them: the sum over the threads, which in what we run live to the end.
    return (
      readdirSync(`/proc/${pid}/task`).reduce(
        (sum, thread) =>
          sum +
          Number.parseInt(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1"), 10),
        0,
      ) / 1e9
    );
  } catch {
    return tickedSecondsOf(pid);
  }
}

/** For kernels without those statistics; a step is 10 ms. */
function tickedSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // From field 3 on: the name before it may hold spaces. utime is field 14, stime 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

export function residentBytesOf(pid: number): number {
  const kB = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return Number(kB) * 1024;
}

const ESTABLISHED = "01";

/** Bytes in the kernel's queues between a server on this port and its clients on this machine: sent and not read (proc_net_tcp(5)). */
export function queuedBytesOf(port: number): number {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  let bytes = 0;
  for (const line of readFileSync("/proc/net/tcp", "latin1").split("\n").slice(1)) {
    const [, local = "", remote = "", state, queues = ""] = line.trim().split(/\s+/);
    if (state !== ESTABLISHED) continue;
    const [unsent = "0", unread = "0"] = queues.split(":");
    if (local.endsWith(end)) bytes += Number.parseInt(unsent, 16);
    if (remote.endsWith(end)) bytes += Number.parseInt(unread, 16);
  }
  return bytes;
}
