/** What the system knows of a process that need not be our child: is it alive, since when, what is it. */
import { readFileSync } from "node:fs";

/** A zombie (ended, but not yet collected by its parent) does not count as alive. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return statOf(pid)?.[0] !== "Z";
}

/** In kernel ticks since boot; undefined where there is no /proc. Tells a reused process id from the old one. */
export const startTimeOf = (pid: number): string | undefined => statOf(pid)?.[19];

/** The command line, or "" where it cannot be read. */
export const commandLineOf = (pid: number): string =>
  (procFile(pid, "cmdline") ?? "").replaceAll("\0", " ").trim();

/** proc(5), /proc/pid/stat from field 3 (state) on: the name before it may hold spaces. */
function statOf(pid: number): readonly string[] | undefined {
  const stat = procFile(pid, "stat");
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function procFile(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    // Gone in the meantime, or a system without /proc.
    return undefined;
  }
}
