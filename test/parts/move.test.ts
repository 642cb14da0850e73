/** Coming back: resume tickets, and the move off a node that goes away. Judged from what the clients themselves have seen. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Live } from "#sdk";
import { CLOSES, decodeDown, encodeUp } from "#wire";
import { WebSocket } from "ws";
import { showKeys } from "../../server/redis/keys.ts";
import { createTickets } from "../../server/gateway/tickets.ts";
import { type Gateway, SECRET, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let one: Gateway;
let two: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [one, two] = await Promise.all([world.gateway(), world.gateway()]);
});
afterAll(() => world.stop());

/** Greets, and waits for the room or the close. */
async function greet(
  { url }: Gateway,
  show: string,
  token: string,
  at = { epoch: "", offset: 0 },
): Promise<{ kinds: string[]; ticket: string; epoch: string; offset: number; code: number }> {
  const socket = new WebSocket(`${url}/v1/rt`, "dropcast.v1.msgpack");
  const seen = { kinds: [] as string[], ticket: "", epoch: "", offset: 0, code: 0 };
  const over = Promise.withResolvers<void>();
  socket.once("open", () => socket.send(encodeUp("hello", { token, show, client: "c1", ...at })));
  socket.once("close", (code) => {
    seen.code = code;
    over.resolve();
  });
  socket.on("message", (data) => {
    const frame = decodeDown(data as Buffer);
    seen.kinds.push(frame.kind);
    if (frame.kind === "welcome") seen.epoch = frame.epoch;
    if (frame.kind === "joined") seen.offset = frame.offset;
    if (frame.kind !== "ticket") return;
    seen.ticket = frame.ticket;
    over.resolve();
  });
  await over.promise;
  socket.terminate();
  return seen;
}

test("[TICKET3] a ticket lets its bearer in on any node, from where it stands, also after the token has expired", async () => {
  const show = await world.show();
  const identity = { show, viewerId: "ann", role: "viewer", name: "ann" } as const;
  const token = await world.tokens.sign(identity, 1000);
  const first = await greet(one, show, token);
  await world.shows.pin(show, "tea");
  await until(async () => (await world.tokens.verify(token)) === undefined);
  expect((await greet(two, show, token)).code).toBe(CLOSES.badToken.code);
  const back = await greet(two, show, first.ticket);
  expect(back.kinds.slice(0, 2)).toEqual(["welcome", "pinned"]);
  expect(back.kinds).not.toContain("snapshot");
  // Who has read on since says so.
  const ahead = await greet(one, show, first.ticket, back);
  expect(ahead.kinds).not.toContain("pinned");
  expect(ahead.offset).toBe(back.offset);
});

test("[TICKET4] a forged, expired or foreign ticket is refused with its own code, and the SDK comes back with its token", async () => {
  const show = await world.show();
  const other = await world.show();
  const identity = { show, viewerId: "bob", role: "viewer", name: "bob" } as const;
  const first = await greet(one, show, await world.tokens.sign(identity));
  const { code: badTicket } = CLOSES.badTicket;
  expect((await greet(two, show, first.ticket.replace("r1.", "r1.AAAA"))).code).toBe(badTicket);
  expect((await greet(two, other, first.ticket)).code).toBe(badTicket);
  const of = { ...identity, sinceMs: 0, epoch: first.epoch, offset: first.offset };
  const stale = createTickets(SECRET, () => Date.now() - 2 * 3_600_000);
  expect((await greet(two, show, stale.sign(of))).code).toBe(badTicket);
  expect((await greet(two, show, createTickets(SECRET, Date.now).sign(of))).code).toBe(0);

  // A gateway whose secret is another one: what it hands out is worth nothing elsewhere.
  const tokens: string[] = [];
  const foreign = await world.gateway("gw-foreign", {}, "another secret, 16 or longer");
  const cat = await world.join(foreign, show, "cat", {
    url: [foreign.url, two.url],
    async token() {
      const issuer = tokens.length === 0 ? foreign : world;
      const signed = await issuer.tokens.sign({ ...identity, viewerId: "cat" });
      tokens.push(signed);
      return signed;
    },
  });
  await foreign.stop();
  await until(() => cat.state.connection === "live" && tokens.length >= 2, 8000);
  expect(await cat.comment("still here")).toMatchObject({ result: "accepted" });
});

test("[TICKET5] coming back asks for no new token while the ticket is good", async () => {
  const show = await world.show();
  const leaving = await world.gateway();
  let asked = 0;
  const live = await world.join(leaving, show, "ann", {
    url: [leaving.url, one.url],
    async token() {
      asked++;
      return world.tokens.sign({ show, viewerId: "ann", role: "viewer", name: "ann" });
    },
  });
  const back = new Promise((resolve) => live.on("connectionChanged", resolve));
  await leaving.stop();
  expect(await back).toMatchObject({ connection: "live", resumed: "caughtUp" });
  expect(asked).toBe(1);
});

test("[TICKET6] who is sent away for good is out at once, on every node, and neither token nor ticket lets them back in; a mute outlives a resume", async () => {
  const show = await world.show();
  const identity = { show, viewerId: "mallory", role: "viewer", name: "m" } as const;
  const token = await world.tokens.sign(identity);
  const { ticket } = await greet(one, show, token);
  await world.shows.mute(show, "mallory", 60_000);
  const lives = await Promise.all([
    world.join(one, show, "mallory"),
    world.join(two, show, "mallory"),
  ]);
  const bob = await world.join(two, show, "bob");
  for (const live of lives) expect(await live.comment("hi")).toMatchObject({ result: "muted" });
  const codes = lives.map(
    (live) =>
      new Promise((resolve) =>
        live.on("connectionChanged", ({ closeCode }) => closeCode && resolve(closeCode)),
      ),
  );
  await world.shows.removeViewer(show, "mallory");
  const { code: removed } = CLOSES.removed;
  expect(await Promise.all(codes)).toEqual([removed, removed]);
  for (const gateway of [one, two, await world.gateway()])
    for (const pass of [ticket, token])
      expect((await greet(gateway, show, pass)).code).toBe(removed);
  expect(bob.state.connection).toBe("live");
  await world.shows.readmitViewer(show, "mallory");
  await until(async () => (await greet(one, show, ticket)).code === 0);
});

test("[DRAIN1] viewers of a node that goes away are never without the room: no gap, nothing twice, no moment offline", async () => {
  const show = await world.show();
  const leaving = await world.gateway("gw-leaving", { DRAIN_MS: "600" });
  const urls = [leaving.url, one.url, two.url];
  const lives = await Promise.all(
    Array.from({ length: 40 }, (_, i) => world.join(leaving, show, `v${i}`, { url: urls })),
  );
  const seen = lives.map((live) => watch(live));
  const stopping = leaving.stop();
  const stop = new AbortController();
  void stopping.then(() => stop.abort());
  const said: string[] = [];
  for (let n = 0; !stop.signal.aborted || n % 2 === 1; n++) {
    await (n % 2 === 0 ? world.shows.pin(show, "tea") : world.shows.unpin(show, "tea"));
    said.push(n % 2 === 0 ? "tea" : "none");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await until(() => seen.every(({ pins }) => pins.length >= said.length), 8000);
  for (const { pins, connections } of seen) {
    expect(pins).toEqual(said);
    expect(connections).toEqual(["live caughtUp"]);
  }
}, 30_000);

function watch(live: Live): { pins: string[]; connections: string[] } {
  const seen = { pins: [] as string[], connections: [] as string[] };
  live.on("pinned", ({ skus }) => seen.pins.push(skus.join() || "none"));
  live.on("connectionChanged", (c) => seen.connections.push(`${c.connection} ${c.resumed ?? ""}`));
  return seen;
}

test("[DRAIN2] likes, comments and purchases on their way through a node that goes away are each counted once", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 200, { perBuyerLimit: 99 });
  const leaving = await world.gateway("gw-leaving-2", { DRAIN_MS: "600" });
  const lives = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      world.join(leaving, show, `b${i}`, { url: [leaving.url, one.url], role: "host" }),
    ),
  );
  const stopping = leaving.stop();
  const stop = new AbortController();
  void stopping.then(() => stop.abort());
  let tapped = 0;
  const holds: Promise<readonly [string, string]>[] = [];
  const comments: Promise<string>[] = [];
  for (let n = 0; !stop.signal.aborted; n++) {
    const live = lives[n % lives.length] as Live;
    live.like(3);
    tapped += 3;
    const key = `k${n}`;
    holds.push(live.hold(dropId, { key }).then(({ result }) => [key, result] as const));
    comments.push(live.comment(`c${n}`).then(({ result }) => result));
    await new Promise((resolve) => setTimeout(resolve, 8));
  }
  const held = (await Promise.all(holds)).filter(([, result]) => result === "held");
  const accepted = (await Promise.all(comments)).filter((result) => result === "accepted");
  const { log, meta, holds: kept } = showKeys(show);
  await until(async () => Number(await world.store.hget(meta, "likes")) === tapped, 8000);
  const keys = Object.keys(await world.store.hgetall(kept)).map((field) => field.split("|")[1]);
  expect(new Set(keys)).toEqual(new Set(held.map(([key]) => key)));
  expect(Number(await world.store.hget(meta, "commentNo"))).toBe(accepted.length);
  expect(await world.store.exists(log)).toBe(1);
}, 30_000);
