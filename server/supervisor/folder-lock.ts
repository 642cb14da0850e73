/**
 * One Dropcast per data folder. The lock is a file with the holder's process id and start time, so that a lock left
 * by a kill -9 or a reused process id is taken over, and a live one is respected.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, startTimeOf } from "../process-table.ts";
import { Refusal } from "../refusal.ts";

/** Longer than two starts that find the same stale lock need to write theirs. */
const settleMs = 50;

/**
 * @returns releases the lock
 * @throws Refusal while another live process holds it
 */
export async function lockFolder(folder: string): Promise<() => void> {
  const file = join(folder, "lock");
  const mine = `${process.pid} ${startTimeOf(process.pid) ?? ""}`;
  if (!createdAlone(file, mine)) {
    refuseLiveHolder(file, folder);
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, mine);
    renameSync(temporary, file);
    await sleep(settleMs);
    if (readFileSync(file, "utf8") !== mine) refuseLiveHolder(file, folder);
  }
  return () => rmSync(file, { force: true });
}

function createdAlone(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function refuseLiveHolder(file: string, folder: string): void {
  const pid = liveHolder(readFileSync(file, "utf8"));
  if (pid === undefined) return;
  throw new Refusal(
    `${folder} is in use by another Dropcast (process ${pid}): stop that one, or set another DATA_DIR`,
  );
}

/** The process that holds the lock of a folder; undefined when none does. */
export function holderOf(folder: string): number | undefined {
  const file = join(folder, "lock");
  return existsSync(file) ? liveHolder(readFileSync(file, "utf8")) : undefined;
}

function liveHolder(lock: string): number | undefined {
  const [pidText, startTime] = lock.split(" ");
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0 || !isAlive(pid)) return undefined;
  return startTime === "" || startTime === startTimeOf(pid) ? pid : undefined;
}
