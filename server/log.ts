/**
 * The log: pino, to stdout, as one readable line per entry (`LOG_FORMAT=json`: pino's own lines). A lost reader (a
 * closed pipe) silences the log and stops nothing. Rubric: info is one line per lifecycle step; nothing that can
 * happen more than once a second is logged, it is counted. No personal data, no keys.
 */
import { type Logger, pino } from "pino";
import type { Config } from "./config.ts";

export type { Logger } from "pino";

const LEVEL_NAMES: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "WARN",
  50: "ERROR",
  60: "FATAL",
};

/** @param name who speaks: `supervisor`, `gateway-0`, … */
export function createLog(config: Pick<Config, "logLevel" | "logFormat">, name: string): Logger {
  process.stdout.on("error", readerGone);
  return pino(
    {
      name,
      level: config.logLevel,
      base: { name },
      redact: ["adminKey", "token", "*.adminKey", "*.tokenSecret", "*.token"],
    },
    {
      write(line: string) {
        print(config.logFormat === "json" ? line : readable(line));
      },
    },
  );
}

let reading = true;

function readerGone(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
  reading = false;
}

/** Lines for people, outside the log: the links, a refusal. */
export function print(text: string): void {
  if (reading) process.stdout.write(text);
}

interface Entry {
  readonly level: number;
  readonly time: number;
  readonly name?: string;
  readonly msg?: string;
  readonly err?: { readonly message?: string; readonly stack?: string };
  readonly [field: string]: unknown;
}

/** `12:30:05.123 info  gateway-0  ready pid=12 rtPort=8081`, and the stack on further lines. */
function readable(line: string): string {
  const { level, time, name, msg, err, ...fields } = JSON.parse(line) as Entry;
  const clock = new Date(time).toISOString().slice(11, 23);
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${compact(value)}`);
  const head = `${clock} ${(LEVEL_NAMES[level] ?? String(level)).padEnd(5)} ${name ?? ""}`;
  const failure =
    err === undefined ? "" : `\n  ${(err.stack ?? err.message ?? "").replaceAll("\n", "\n  ")}`;
  return `${head}  ${msg ?? ""}${rest.join("")}${failure}\n`;
}

const compact = (value: unknown): string =>
  typeof value === "string" && /^[^\s="]+$/.test(value) ? value : JSON.stringify(value);
