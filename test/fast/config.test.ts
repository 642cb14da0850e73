import { expect, test } from "vitest";
import {
  type Environment,
  childEnvironment,
  deriveTokenSecret,
  projectDir,
  readConfig,
} from "../../server/config.ts";
import { Refusal } from "../../server/refusal.ts";

const refusalOf = (env: Environment): readonly string[] => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof Refusal) return error.problems;
    throw error;
  }
  return [];
};

test("[CONF1] without any variable everything has a default", () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    port: 8080,
    rtPort: 8081,
    rtcPort: 40_000,
    holdBatch: 256,
    tickMs: 50,
    demo: true,
    drainMs: 3000,
  });
  expect(config.redisUrl).toBeUndefined();
  expect(config.gateways).toBeGreaterThan(0);
  expect(config.mediaWorkers).toBeGreaterThan(0);
  expect(config.dataDir).toBe(`${projectDir}/.dropcast`);
});

test("[CONF2] every bad variable is named at once, one line each, with what it may be", () => {
  const problems = refusalOf({
    PORT: "70000",
    TICK_MS: "5",
    REDIS_URL: "http://x",
    DEMO: "maybe",
    RT_PORT: "1e3",
  });
  expect(problems).toEqual([
    'PORT must be a whole number from 0 to 65535 (is "70000")',
    'RT_PORT must be a whole number from 0 to 65535 (is "1e3")',
    "REDIS_URL must start with redis://, rediss:// or unix:///, or be redis+failover://host:port,… or redis+cluster://host:port,… (is 8 characters)",
    'DEMO must be 1 or 0 (is "maybe")',
    'TICK_MS must be a whole number from 10 to 1000 (is "5")',
  ]);
});

test("[CONF3] a bad secret is never shown", () => {
  const problems = refusalOf({ ADMIN_KEY: "hunter2", TOKEN_SECRET: "tiny" }).join("\n");
  expect(problems).toContain("ADMIN_KEY must have at least 16 characters (is 7 characters)");
  expect(problems).not.toMatch(/hunter2|tiny/);
});

test("[CONF4] an empty variable counts as not set", () => {
  expect(readConfig({ PORT: "", REDIS_URL: "", DEMO: "" })).toEqual(readConfig({}));
});

test("[CONF5] a child process reads the very same settings", () => {
  const config = readConfig({
    DEMO: "0",
    PORT: "9",
    ADMIN_KEY: "0123456789abcdef",
    FAULT_POINT: "holdDecided",
  });
  expect(readConfig(childEnvironment(config))).toEqual(config);
  expect(
    readConfig(childEnvironment({ ...config, faultPoint: undefined })).faultPoint,
  ).toBeUndefined();
});

test("[CONF6] machines with one admin key derive one token secret, which does not tell the key", () => {
  const key = "0123456789abcdef";
  expect(deriveTokenSecret(key)).toBe(deriveTokenSecret(key));
  expect(deriveTokenSecret(key)).toMatch(/^[0-9a-f]{64}$/);
  expect(deriveTokenSecret(`${key}0`)).not.toBe(deriveTokenSecret(key));
});
