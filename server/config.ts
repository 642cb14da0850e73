/**
 * Everything that can be set from outside, read once at start. The only file that reads `process.env`.
 * One table makes the reading, the messages and `--help`. Every number carries its unit in its name.
 */
import { createHmac } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { areProxies } from "./proxies.ts";
import { Refusal } from "./refusal.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export const projectDir: string = dirname(dirname(fileURLToPath(import.meta.url)));

const cores = availableParallelism();

/** A whole number in decimal digits; "" counts as not set, as everywhere here. */
const whole = (min: number, max: number) => {
  const range = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, range)
    .transform(Number)
    .refine((value) => value >= min && value <= max, range);
};
const port = whole(0, 65_535);
const flag = z
  .enum(["0", "1", "false", "true"], "must be 1 or 0")
  .transform((value) => value === "1" || value === "true");
const redisUrl = z
  .string()
  .regex(
    /^(rediss?:\/\/.|unix:\/\/\/.|redis\+(failover|cluster):\/\/([^@/]*@)?[^@/,:]+:\d+(,[^@/,:]+:\d+)*\/?$)/,
    "must start with redis://, rediss:// or unix:///, or be redis+failover://host:port,… or redis+cluster://host:port,…",
  );
const httpUrl = z.string().regex(/^https?:\/\/[^\s/]/, "must start with http:// or https://");
const levels = ["fatal", "error", "warn", "info", "debug", "trace"] as const;

/** One row per variable: its schema (without default), its default, and what it is for. */
const VARIABLES = {
  PORT: [port, 8080, "HTTP: pages, API, metrics (0: any free port)"],
  RT_PORT: [port, 8081, "WebSocket of viewers and hosts (0: any free port)"],
  RTC_PORT: [port, 40_000, "first media port, UDP and TCP, one per media worker (0: any free)"],
  HOST: [z.string(), "0.0.0.0", "address to listen on"],
  REDIS_URL: [redisUrl, undefined, "Redis >= 7.0 to use; without it a private one is started"],
  REPLICAS: [whole(1, 16), 1, "replicas that must have a hold of class replica; safest: all"],
  REPLICA_WAIT_MS: [
    whole(1, 1500),
    250,
    "how long a buyer's answer waits for them; after it the answer is: pending",
  ],
  REDIS_SERVER_BIN: [z.string(), undefined, "redis-server or valkey-server for the private Redis"],
  DATA_DIR: [z.string(), ".dropcast", "folder for all that is kept"],
  ADMIN_KEY: [
    z.string().min(16, "must have at least 16 characters"),
    undefined,
    "key of host and operator; without it one is made and kept in DATA_DIR/admin-key",
  ],
  TOKEN_SECRET: [
    z.string().min(16, "must have at least 16 characters"),
    undefined,
    "signs join tokens; default: derived from the admin key",
  ],
  GATEWAYS: [
    whole(0, 64),
    Math.min(cores, 8),
    "gateway processes (default: one per core, at most 8)",
  ],
  MEDIA_WORKERS: [whole(0, 64), Math.max(1, cores - 1), "mediasoup workers (0: no video here)"],
  RTC_ANNOUNCED_ADDRESS: [z.string(), undefined, "public address of the media ports, behind NAT"],
  MEDIASOUP_WORKER_BIN: [
    z.string(),
    undefined,
    "mediasoup-worker to use instead of the installed one",
  ],
  DEMO: [flag, true, "0: no demo show"],
  LOG_LEVEL: [z.enum(levels, `must be one of ${levels.join(", ")}`), "info", levels.join(", ")],
  LOG_FORMAT: [z.enum(["text", "json"], "must be text or json"), "text", "text or json"],
  HOLD_BATCH: [whole(1, 256), 256, "most purchases that one call to Redis decides (1: no batches)"],
  TICK_MS: [
    whole(10, 1000),
    50,
    "how often comments and totals are sent out; widens to 250 under load",
  ],
  NODE_ID: [
    z.string().regex(/^[A-Za-z0-9._-]{1,40}$/, "must be 1 to 40 of A-Z a-z 0-9 . _ -"),
    undefined,
    "name of this machine among others on the same Redis; default: made once",
  ],
  TOKENS_PER_SECOND: [whole(1, 1_000_000), 50, "viewer tokens given out per second and address"],
  MAX_VIEWERS: [whole(1, 1_000_000), 17_000, "sockets that one gateway process joins to rooms"],
  NEWCOMERS_PER_SECOND: [
    whole(1, 1_000_000),
    2000,
    "new viewers that one gateway lets in per second",
  ],
  TRUST_PROXY: [
    z
      .string()
      .refine(areProxies, "must be addresses or networks (10.0.0.0/8) with commas between them"),
    "",
    "reverse proxies whose X-Forwarded-For is believed; default: none",
  ],
  PASSES_PER_SECOND: [
    whole(1, 1_000_000),
    3000,
    "passes for drops with admission that one gateway gives out per second",
  ],
  PROOF_BITS: [
    whole(1, 28),
    17,
    "work before a pass of a drop with admission proof: 2^bits hashes, 17 is a fraction of a second on a phone",
  ],
  DRAIN_MS: [whole(0, 600_000), 3000, "time over which a stopping gateway sends its viewers away"],
  PAYMENTS: [
    z.enum(["sandbox", "stripe"], "must be sandbox or stripe"),
    "sandbox",
    "who takes the money: sandbox (none moves), or stripe",
  ],
  STRIPE_API_URL: [httpUrl, "https://api.stripe.com", "Stripe, or what behaves like it"],
  STRIPE_SECRET_KEY: [z.string().min(1), undefined, "needed with PAYMENTS=stripe"],
  STRIPE_WEBHOOK_SECRET: [
    z.string().min(1),
    undefined,
    "needed with PAYMENTS=stripe: of the endpoint /v1/payments/webhooks/stripe",
  ],
  PAYMENT_RETURN_URL: [
    httpUrl,
    undefined,
    "page that buyers come back to, {show} filled in; default: /watch/{show} on localhost",
  ],
  WEBHOOK_ALLOW_PRIVATE: [
    flag,
    false,
    "1: webhooks may also go to link-local and metadata addresses",
  ],
  LEDGER_TRIM: [
    flag,
    false,
    "1: what is in signed ledger files leaves Redis; one control process only, and back up DATA_DIR",
  ],
  PAY_SANDBOX_DELAY_MS: [whole(0, 600_000), 300, "time the sandbox payment takes"],
  FAULT_POINT: [z.string(), undefined, "for fault tests only: where a process kills itself"],
} as const satisfies Record<string, readonly [z.ZodType, unknown, string]>;

type Variable = keyof typeof VARIABLES;
const names = Object.keys(VARIABLES) as Variable[];

type Read<V extends Variable> =
  | z.output<(typeof VARIABLES)[V][0]>
  | (undefined extends (typeof VARIABLES)[V][1] ? undefined : never);

export interface Config {
  readonly port: Read<"PORT">;
  readonly rtPort: Read<"RT_PORT">;
  readonly rtcPort: Read<"RTC_PORT">;
  readonly host: Read<"HOST">;
  /** undefined: a private Redis is started. */
  readonly redisUrl: Read<"REDIS_URL">;
  readonly replicas: Read<"REPLICAS">;
  readonly replicaWaitMs: Read<"REPLICA_WAIT_MS">;
  readonly redisServerBin: Read<"REDIS_SERVER_BIN">;
  /** Absolute. */
  readonly dataDir: Read<"DATA_DIR">;
  readonly adminKey: Read<"ADMIN_KEY">;
  readonly tokenSecret: Read<"TOKEN_SECRET">;
  readonly gateways: Read<"GATEWAYS">;
  readonly mediaWorkers: Read<"MEDIA_WORKERS">;
  readonly rtcAnnouncedAddress: Read<"RTC_ANNOUNCED_ADDRESS">;
  readonly mediasoupWorkerBin: Read<"MEDIASOUP_WORKER_BIN">;
  readonly demo: Read<"DEMO">;
  readonly logLevel: Read<"LOG_LEVEL">;
  readonly logFormat: Read<"LOG_FORMAT">;
  readonly holdBatch: Read<"HOLD_BATCH">;
  readonly tickMs: Read<"TICK_MS">;
  readonly nodeId: Read<"NODE_ID">;
  readonly tokensPerSecond: Read<"TOKENS_PER_SECOND">;
  readonly maxViewers: Read<"MAX_VIEWERS">;
  readonly newcomersPerSecond: Read<"NEWCOMERS_PER_SECOND">;
  readonly trustProxy: Read<"TRUST_PROXY">;
  readonly passesPerSecond: Read<"PASSES_PER_SECOND">;
  readonly proofBits: Read<"PROOF_BITS">;
  readonly drainMs: Read<"DRAIN_MS">;
  readonly payments: Read<"PAYMENTS">;
  readonly stripeApiUrl: Read<"STRIPE_API_URL">;
  readonly stripeSecretKey: Read<"STRIPE_SECRET_KEY">;
  readonly stripeWebhookSecret: Read<"STRIPE_WEBHOOK_SECRET">;
  readonly paymentReturnUrl: Read<"PAYMENT_RETURN_URL">;
  readonly webhookAllowPrivate: Read<"WEBHOOK_ALLOW_PRIVATE">;
  readonly ledgerTrim: Read<"LEDGER_TRIM">;
  readonly paySandboxDelayMs: Read<"PAY_SANDBOX_DELAY_MS">;
  readonly faultPoint: Read<"FAULT_POINT">;
}

/** The first of these programs on PATH. */
export const findProgram = (programs: readonly string[]): string | undefined =>
  programs
    .flatMap((name) => (process.env["PATH"] ?? "").split(delimiter).map((dir) => join(dir, name)))
    .find(isExecutable);

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there or not for us: the answer, not a failure.
    return false;
  }
}

/** Whether `npm start` (or another npm script) started this process. */
export const isStartedByNpm = (): boolean => process.env["npm_lifecycle_event"] !== undefined;

const camelCase = (name: string): string =>
  name.toLowerCase().replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** @throws Refusal naming every bad variable at once, one line each */
export function readConfig(env: Environment = process.env): Config {
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const name of names) {
    const [schema, fallback] = VARIABLES[name];
    const text = env[name];
    if (text === undefined || text === "") {
      config[camelCase(name)] = fallback;
      continue;
    }
    const read = schema.safeParse(text);
    if (read.success) config[camelCase(name)] = read.data;
    else
      problems.push(
        `${name} ${read.error.issues[0]?.message ?? "is wrong"} (is ${shown(name, text)})`,
      );
  }
  if (problems.length > 0) throw new Refusal(...problems);
  config["dataDir"] = resolve(projectDir, String(config["dataDir"]));
  return Object.freeze(config) as unknown as Config;
}

/** Keys and passwords never reach a screen or a log. */
const shown = (name: Variable, text: string): string =>
  ["ADMIN_KEY", "TOKEN_SECRET", "REDIS_URL", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"].includes(
    name,
  )
    ? `${text.length} characters`
    : JSON.stringify(text.slice(0, 80));

/** This process's variables, with those of `config` and `more` in the place of ours: for a child process. */
export function childEnvironment(
  config: Config | undefined,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, text] of Object.entries(process.env)) {
    if (text !== undefined && !(name in VARIABLES)) env[name] = text;
  }
  const values = (config ?? {}) as Readonly<Record<string, string | number | boolean | undefined>>;
  for (const name of names) {
    const value = values[camelCase(name)];
    if (value !== undefined) env[name] = String(typeof value === "boolean" ? Number(value) : value);
  }
  return { ...env, ...more };
}

/** The secret that signs tokens when none is set: from the admin key, so that every machine derives the same. */
export const deriveTokenSecret = (adminKey: string): string =>
  createHmac("sha256", adminKey).update("dropcast token secret v1").digest("hex");

/** One line per variable, for `--help`. */
export const variableHelp = (): string =>
  names
    .map((name) => {
      const [, fallback, purpose] = VARIABLES[name];
      const preset = typeof fallback === "boolean" ? Number(fallback) : fallback;
      return `  ${name.padEnd(22)} ${purpose}${preset === undefined ? "" : ` [${preset}]`}`;
    })
    .join("\n");
