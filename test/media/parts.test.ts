import { errors } from "mediasoup";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createMender } from "../../client-sdk/media/mender.ts";
import type { MediaAsk, MediaTell } from "#wire";
import { called } from "../../media/calls.ts";
import { MEDIA_LIMITS } from "../../media/limits.ts";
import { createSessions } from "../../media/sessions.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ask = (more: Partial<MediaAsk> = {}): MediaAsk => ({
  from: "gw1",
  ref: 1,
  show: "s",
  session: "v/1",
  role: "viewer",
  name: "watch",
  body: "{}",
  ...more,
});

const sessionsWorld = () => {
  const told: { gateway: string; tell: MediaTell }[] = [];
  const closedShows: string[] = [];
  const sessions = createSessions({
    nowMs: () => Date.now(),
    tell: (gateway, tell) => void told.push({ gateway, tell }),
    onClosed: (show) => void closedShows.push(show),
  });
  return { sessions, told, closedShows };
};

test("[MEDIA6] a session whose socket is gone lives on for the grace period, then closes", () => {
  const { sessions, closedShows } = sessionsWorld();
  const session = sessions.of(ask());
  sessions.left(ask());
  vi.advanceTimersByTime(MEDIA_LIMITS.graceMs - 1);
  expect(session.closed).toBe(false);
  vi.advanceTimersByTime(1);
  expect([session.closed, sessions.count, closedShows]).toEqual([true, 0, ["s"]]);
  expect(vi.getTimerCount()).toBe(0);
});

test("[MEDIA6] it may come back through another gateway: notices go there, and late news from the old one changes nothing", () => {
  const { sessions, told } = sessionsWorld();
  const session = sessions.of(ask());
  sessions.left(ask());
  expect(sessions.find(ask({ from: "gw2" }))).toBe(session);
  sessions.left(ask());
  vi.advanceTimersByTime(MEDIA_LIMITS.graceMs * 2);
  expect(session.closed).toBe(false);
  sessions.notifyShow("s", { event: "rebuilt" });
  expect(told.map(({ gateway }) => gateway)).toEqual(["gw2"]);
});

test("[MEDIA6] one notice a gateway, however many sessions it has; a show hears nothing of another", () => {
  const { sessions, told } = sessionsWorld();
  for (let i = 0; i < 50; i++) sessions.of(ask({ session: `v/${i}`, from: `gw${i % 3}` }));
  sessions.of(ask({ show: "other", from: "gw9" }));
  sessions.notifyShow("s", { event: "rebuilt" });
  expect(told.map(({ gateway }) => gateway).sort()).toEqual(["gw0", "gw1", "gw2"]);
});

test("[MEDIA6] a session that carries nothing and is not heard of is swept, even if its gateway died before it could say so", () => {
  const { sessions } = sessionsWorld();
  const session = sessions.of(ask());
  sessions.sweep();
  expect(session.closed).toBe(false);
  vi.advanceTimersByTime(MEDIA_LIMITS.graceMs + 1);
  sessions.sweep();
  expect([session.closed, sessions.count]).toEqual([true, 0]);
});

test("[MEDIA7] sessions and waiting asks are bounded: at the bound, and one over", async () => {
  const { sessions } = sessionsWorld();
  for (let i = 0; i < MEDIA_LIMITS.maxSessions; i++) sessions.of(ask({ session: `v/${i}` }));
  expect(() => sessions.of(ask({ session: "one more" }))).toThrow("mediaBusy");
  const session = sessions.of(ask({ session: "v/0" }));
  const order: number[] = [];
  const turns = Array.from({ length: MEDIA_LIMITS.maxWaitingAsks }, (_, i) =>
    sessions.inTurn(session, async () => {
      await Promise.resolve();
      order.push(i);
    }),
  );
  await expect(sessions.inTurn(session, () => Promise.resolve())).rejects.toThrow("mediaBusy");
  await Promise.all(turns);
  expect(order).toEqual(turns.map((_, i) => i));
  await expect(sessions.inTurn(session, () => Promise.resolve(1))).resolves.toBe(1);
});

test("[MEDIA8] a call to a worker ends in its value or a typed fault, within its deadline; what comes late is handed over", async () => {
  const late: string[] = [];
  const { promise, resolve } = Promise.withResolvers<string>();
  const slow = called(promise, { what: "make", late: (value) => void late.push(value) });
  const refused = expect(slow).rejects.toMatchObject({
    code: "timeout",
    why: `make: no answer within ${MEDIA_LIMITS.workerCallMs} ms`,
  });
  await vi.advanceTimersByTimeAsync(MEDIA_LIMITS.workerCallMs);
  await refused;
  resolve("transport");
  await vi.advanceTimersByTimeAsync(0);
  expect(late).toEqual(["transport"]);
  const codes: [Error, string][] = [
    [new errors.WorkerClosedError("gone"), "mediaDown"],
    [new errors.NotFoundError("no router"), "notFound"],
    [new errors.UnsupportedError("codec"), "badRequest"],
    [new TypeError("shape"), "badRequest"],
  ];
  for (const [error, code] of codes)
    await expect(called(Promise.reject(error), { what: "x" })).rejects.toMatchObject({ code });
  await expect(called(Promise.resolve(3), { what: "x" })).resolves.toBe(3);
  expect(vi.getTimerCount()).toBe(0);
});

test("[MEDIA9] the client mends one thing at a time, backs off with jitter up to 10 s, and stops when closed", async () => {
  const acts: string[] = [];
  let fails = true;
  const mender = createMender({
    act(need) {
      acts.push(need);
      return fails ? Promise.reject(new Error("down")) : Promise.resolve();
    },
    onFailed: () => undefined,
    random: () => 1,
  });
  mender.want("build");
  await vi.advanceTimersByTimeAsync(0);
  expect(acts).toHaveLength(1);
  for (const delayMs of [500, 1000, 2000, 4000, 8000, 10_000, 10_000]) {
    const before = acts.length;
    await vi.advanceTimersByTimeAsync(delayMs - 1);
    expect(acts).toHaveLength(before);
    await vi.advanceTimersByTimeAsync(1);
    expect(acts).toHaveLength(before + 1);
  }
  fails = false;
  await vi.advanceTimersByTimeAsync(10_000);
  acts.length = 0;
  // Several wants become one; a build covers a renewal, and keeps its own time.
  mender.want("renew", 100);
  mender.want("build", 300);
  mender.want("renew", 0);
  await vi.advanceTimersByTimeAsync(299);
  expect(acts).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(acts).toEqual(["build"]);
  mender.want("build", 100);
  mender.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(acts).toEqual(["build"]);
  expect(vi.getTimerCount()).toBe(0);
});
