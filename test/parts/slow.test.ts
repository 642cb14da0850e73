/* oxlint-disable no-underscore-dangle -- names of Node and ws: nothing else stops reading at once */
/** Phones that stop reading for real: their sockets are not read, and the kernel's buffers fill. */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocketOfNode from "ws";
import type { Comment, Live } from "#sdk";
import { LIMITS } from "#wire";
import { createRoomWrites, type NewComment } from "../../server/room/writes.ts";
import { layCable } from "../helpers/cable.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let gateway: Gateway;
beforeAll(async () => {
  world = await startWorld();
  gateway = await world.gateway();
});
afterAll(() => world.stop());

interface Own extends Socket {
  readonly _handle: { readStop(): void; readStart(): void };
}

/** A WebSocket that can be left unread. */
class Phone extends WebSocketOfNode {
  static readonly last: Phone[] = [];
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    Phone.last.push(this);
  }
  get port(): number {
    return this.#own.localPort ?? 0;
  }
  /** Nothing is read any more, not even into this process. */
  sleep(): void {
    this.#own._handle.readStop();
  }
  wake(): void {
    this.#own._handle.readStart();
  }
  get #own(): Own {
    return (this as unknown as { _socket: Own })._socket;
  }
}

/** Bytes that the kernel holds between the gateway and this port, at both ends (proc(5), /proc/net/tcp). */
function kernelBytes(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  let bytes = 0;
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n")) {
    const [, local = "", remote = "", , queues = ""] = line.trim().split(/\s+/);
    const [sent = "0", received = "0"] = queues.split(":");
    if (remote.endsWith(`:${hex}`)) bytes += Number.parseInt(sent, 16);
    if (local.endsWith(`:${hex}`)) bytes += Number.parseInt(received, 16);
  }
  return bytes;
}

/** Many speakers, each with its own words, stamped with the time. @returns how many were accepted so far, and what ends it */
function flood(show: string, perSecond: number): { readonly said: number; stop(): Promise<void> } {
  const writes = createRoomWrites(world.store);
  let said = 0;
  let writing = Promise.resolve();
  const timer = setInterval(() => {
    const batch: NewComment[] = Array.from({ length: perSecond / 20 }, () => ({
      viewerId: `v${said++}`,
      client: "c",
      seq: 1,
      name: "n",
      role: "viewer",
      text: `${Date.now()} ${said}`,
      isHidden: false,
    }));
    writing = writing.then(async () => void (await writes.comment(show, batch)));
  }, 50);
  return {
    get said() {
      return said;
    },
    async stop() {
      clearInterval(timer);
      await writing;
    },
  };
}

const feeds = (of: Live): string => of.state.feed;
const isBalanced = ({ state: { receipt } }: Live): boolean =>
  receipt.accepted === receipt.shown + receipt.sampled + receipt.thinned + receipt.slow;

test("[SLOW3][I7] a phone asleep in a flood of comments costs little, wakes to comments of now, has missed no event, and every comment is accounted for", async () => {
  const show = await world.show();
  const awake = await world.join(gateway, show, "awake");
  const sleepy = await world.join(gateway, show, "sleepy", {
    WebSocket: Phone as unknown as typeof WebSocket,
  });
  const phone = Phone.last.at(-1) as Phone;
  const pins: string[] = [];
  sleepy.on("pinned", ({ skus }) => pins.push(skus.join()));
  const talk = flood(show, 400);
  // Says what it sees for a while, as a healthy client.
  await new Promise((resolve) => setTimeout(resolve, 4000));
  expect(feeds(sleepy)).toBe("full");

  phone.sleep();
  const shownBefore = awake.state.receipt.accepted;
  const sizes: number[] = [];
  const asleepAtMs = performance.now();
  while (performance.now() - asleepAtMs < 20_000) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    sizes.push(kernelBytes(phone.port));
    await (sizes.length % 2 === 1 ? world.shows.pin(show, "tea") : world.shows.unpin(show, "tea"));
  }
  // While it was sent comments its buffers grew; since it is on `core` they hardly do.
  const grown = (sizes[5] as number) - (sizes[0] as number);
  expect(grown).toBeGreaterThan(10_000);
  expect((sizes.at(-1) as number) - (sizes.at(-4) as number)).toBeLessThan(grown / 5);
  expect(Math.max(...sizes)).toBeLessThan(300_000);
  expect(awake.state.receipt.accepted - shownBefore).toBeGreaterThan(2000);
  expect(feeds(awake)).toBe("full");

  const wokenAtMs = Date.now();
  const heard: { readonly comment: Comment; readonly atMs: number }[] = [];
  sleepy.on("commented", (list) =>
    heard.push(...list.map((comment) => ({ comment, atMs: Date.now() }))),
  );
  phone.wake();
  await until(() => sleepy.state.offset === awake.state.offset);
  expect(pins).toEqual(Array.from({ length: sizes.length }, (_, i) => (i % 2 === 0 ? "tea" : "")));
  await until(() => heard.length > 0, 15_000);
  const first = heard[0] as (typeof heard)[number];
  const saidAtMs = Number.parseInt(first.comment.text, 10);
  expect(first.atMs - saidAtMs).toBeLessThan(3000);
  expect(saidAtMs).toBeGreaterThan(wokenAtMs - 3000);
  // All the way back up.
  await until(() => feeds(sleepy) === "full", 30_000);
  expect(sleepy.state.connection).toBe("live");

  await talk.stop();
  const { said } = talk;
  await until(
    () => awake.state.receipt.accepted === said && sleepy.state.receipt.accepted === said,
    10_000,
  );
  expect([awake, sleepy].every(isBalanced)).toBe(true);
  expect(awake.state.receipt.slow).toBe(0);
  expect(sleepy.state.receipt.slow).toBeGreaterThan(1000);
  expect(sleepy.state.receipt.thinned).toBeGreaterThan(0);
}, 120_000);

test("[SLOW5] one that reads, on a line too slow for all comments, says so itself and hears less before silence would have told; on a good line it hears all again", async () => {
  const show = await world.show();
  const cable = await layCable(gateway.url);
  const live = await world.join({ ...gateway, url: cable.url }, show, "far");
  const talk = flood(show, 400);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(feeds(live)).toBe("full");
  cable.slow(2500);
  await new Promise((resolve) => setTimeout(resolve, LIMITS.seenEveryMs));
  // It is told on the same slow line: what was on its way goes first.
  cable.slow(Infinity);
  await until(() => feeds(live) === "lite", 1000);
  await until(() => feeds(live) === "full", 30_000);
  expect(live.state.connection).toBe("live");
  await talk.stop();
  await until(() => live.state.receipt.accepted === talk.said, 10_000);
  expect(isBalanced(live)).toBe(true);
  await cable.stop();
}, 90_000);

test("[LANE9] in a flood two healthy viewers and a moderator account for every comment; the moderator is shown more", async () => {
  const show = await world.show();
  const other = await world.gateway();
  const lives = await Promise.all([
    world.join(gateway, show, "ann"),
    world.join(other, show, "bob", { protocol: "json" }),
    world.join(gateway, show, "mod", { role: "moderator" }),
  ]);
  const talk = flood(show, 1000);
  await until(() => talk.said >= 5000, 30_000);
  await talk.stop();
  await until(() => lives.every((live) => live.state.receipt.accepted === talk.said), 15_000);
  expect(lives.every(isBalanced)).toBe(true);
  const [ann, bob, mod] = lives.map((live) => live.state.receipt) as [R, R, R];
  for (const { sampled, thinned, slow } of [ann, bob, mod]) {
    expect(sampled).toBeGreaterThan(0);
    expect(thinned + slow).toBe(0);
  }
  expect(mod.shown).toBeGreaterThan(1.4 * ann.shown);
  await other.stop();
}, 60_000);

type R = Live["state"]["receipt"];
