import { expect, test } from "vitest";
import { createBackoff } from "../../server/backoff.ts";
import { createRunning } from "../../server/lifecycle.ts";

const never = new Promise<void>(() => {});

test("[PROC1] parts stop in reverse, one at a time, once for all callers", async () => {
  const stopped: string[] = [];
  const running = createRunning(1000, () => {});
  for (const name of ["redis", "control", "gateway"]) {
    running.add({ name, stop: async () => void stopped.push(name) });
  }
  await Promise.all([running.stop(), running.stop()]);
  await running.stop();
  expect(stopped).toEqual(["gateway", "control", "redis"]);
});

test("[PROC2] a part that fails or takes too long is reported, and the rest still stops", async () => {
  const reported: string[] = [];
  const stopped: string[] = [];
  const running = createRunning(20, (name, error) =>
    reported.push(`${name}: ${(error as Error).message}`),
  );
  running.add({ name: "first", stop: async () => void stopped.push("first") });
  running.add({ name: "stuck", stop: () => never });
  running.add({ name: "broken", stop: () => Promise.reject(new Error("no")) });
  await running.stop();
  expect(reported).toEqual(["broken: no", "stuck: took more than 20 ms"]);
  expect(stopped).toEqual(["first"]);
});

test("[PROC3] a part added after the stop (a start overtaken by a signal) is stopped too", async () => {
  const stopped: string[] = [];
  const running = createRunning(1000, () => {});
  await running.stop();
  running.add({ name: "late", stop: async () => void stopped.push("late") });
  await running.stop();
  expect(stopped).toEqual(["late"]);
});

test("[PROC4] restarts wait 100 ms, doubling to 5 s, and begin anew after 10 s of health", () => {
  let nowMs = 0;
  const backoff = createBackoff(() => nowMs);
  const waits = Array.from({ length: 8 }, () => backoff.delayMs());
  expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  backoff.started();
  nowMs += 9999;
  expect(backoff.delayMs()).toBe(5000);
  backoff.started();
  nowMs += 10_000;
  expect(backoff.delayMs()).toBe(100);
});
