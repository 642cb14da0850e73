/** Which Redis servers will do: Redis >= 7.0 (functions, sharded pub/sub) or any Valkey (it began at 7.2). */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { findProgram } from "../config.ts";
import { Refusal } from "../refusal.ts";

const OLDEST_MAJOR = 7;

const remedy =
  "install Redis 7.0 or newer (sudo apt-get install redis-server), name one with REDIS_SERVER_BIN, or set REDIS_URL";

/** `Redis server v=7.0.15 …` → `7.0.15`; undefined where there is none */
export const versionIn = (text: string): string | undefined =>
  /v=(\d+\.\d+\.\d+)/.exec(text)?.[1] ??
  /^(?:redis|valkey)_version:(\d+\.\d+\.\d+)/m.exec(text)?.[1];

export const isNewEnough = (version: string): boolean =>
  Number(version.split(".")[0]) >= OLDEST_MAJOR;

/** The program to run as the private Redis: the one named, else the first on PATH. */
export const findRedisServer = (named: string | undefined): string | undefined =>
  named ?? findProgram(["redis-server", "valkey-server"]);

/** @throws Refusal when it does not run or is too old */
export async function checkRedisServer(program: string | undefined): Promise<string> {
  if (program === undefined) throw new Refusal(`no redis-server on PATH: ${remedy}`);
  let text: string;
  try {
    ({ stdout: text } = await promisify(execFile)(program, ["--version"], { timeout: 10_000 }));
  } catch (error) {
    throw new Refusal(`${program} does not run (${(error as Error).message.trim()}): ${remedy}`);
  }
  const version = versionIn(text);
  if (version === undefined || !isNewEnough(version)) {
    throw new Refusal(`${program} is ${version ?? text.trim().slice(0, 60)}, too old: ${remedy}`);
  }
  return version;
}
