import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { HoldAnswer, Live } from "#sdk";
import { showKeys } from "../../server/redis/keys.ts";
import { openRaw } from "../helpers/raw.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let one: Gateway;
let two: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [one, two] = await Promise.all([world.gateway(), world.gateway()]);
});
afterAll(() => world.stop());

const held = (answers: readonly HoldAnswer[]): number =>
  answers.filter((a) => a.result === "held").length;
/** The drop's books as Redis has them. */
const books = async (show: string, dropId: string): Promise<Record<string, number | string>> =>
  JSON.parse((await world.store.hget(showKeys(show).drops, dropId)) ?? "{}") as Record<
    string,
    number
  >;

test("[BUY1][I3][F2] a double tap, a resend and a resend elsewhere are one hold with one answer", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 5, { perBuyerLimit: 5 });
  const [here, there] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(two, show, "ann"),
  ]);
  const key = "attempt-1";
  const answers = await Promise.all(
    [here, here, there, there].map((live) => live.hold(dropId, { key })),
  );
  expect(new Set(answers.map((a) => JSON.stringify(a))).size).toBe(1);
  expect(answers[0]).toMatchObject({ result: "held", holdId: key, quantity: 1 });
  expect(await books(show, dropId)).toMatchObject({ available: 4, held: 1 });
});

test("[BUY2][I4][F3] three tabs on two nodes together stay within the per-buyer limit", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 100, { perBuyerLimit: 2 });
  const tabs = await Promise.all(
    [one, two, one].map((gateway) => world.join(gateway, show, "ann")),
  );
  const answers = await Promise.all(
    tabs.flatMap((live) => [live.hold(dropId), live.hold(dropId), live.hold(dropId)]),
  );
  expect(held(answers)).toBe(2);
  expect(answers.filter((a) => a.result === "limit")).toHaveLength(7);
  expect(await books(show, dropId)).toMatchObject({ available: 98, held: 2 });
});

test("[BUY3][I1][I2] 1,000 buyers on two nodes tap within a second for 100 units: 100 holds, 900 clear refusals", async () => {
  const show = await world.show(100);
  const startsAtMs = Date.now() + 4000;
  const dropId = await world.drop(show, 100, {
    startsAtMs,
    endsAtMs: startsAtMs + 60_000,
    holdMs: 3000,
  });
  const buyers: Live[] = [];
  for (let i = 0; i < 1000; i += 100)
    buyers.push(
      ...(await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          world.join(n % 2 === 0 ? one : two, show, `b${i + n}`),
        ),
      )),
    );
  const answers = await Promise.all(
    buyers.map(async (live) => {
      await new Promise((resolve) =>
        setTimeout(resolve, startsAtMs - live.now() + 150 + Math.random() * 800),
      );
      return live.hold(dropId);
    }),
  );
  expect(held(answers)).toBe(100);
  expect(answers.filter((a) => a.result === "soldOut")).toHaveLength(900);
  await until(() => buyers.every((live) => live.state.drops.get(dropId)?.state === "soldOut"));
  expect(await books(show, dropId)).toMatchObject({
    available: 0,
    held: 100,
    sold: 0,
    state: "soldOut",
  });

  // [F8] Unpaid holds return at their deadline, within a second, and every screen shows them.
  const deadlines = answers.flatMap((a) => (a.result === "held" ? [a.deadlineMs] : []));
  const last = buyers[0] as Live;
  await until(async () => (await books(show, dropId))["available"] === 100, 8000);
  expect(last.now() - Math.max(...deadlines)).toBeLessThan(1000);
  await until(() => buyers.every((live) => live.state.drops.get(dropId)?.available === 100));
  expect(last.state.drops.get(dropId)).toMatchObject({ state: "open", held: 0, sold: 0 });
  for (const live of buyers) live.close();
}, 60_000);

test("[BUY4][I9] nothing sells before the start or after the end, by Redis TIME", async () => {
  const show = await world.show();
  const startsAtMs = Date.now() + 1500;
  const dropId = await world.drop(show, 5, { startsAtMs, endsAtMs: startsAtMs + 1500 });
  const [ann, bob] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(two, show, "bob"),
  ]);
  const seen: string[] = [];
  bob.on("dropOpened", () => seen.push(`opened ${bob.now() >= startsAtMs}`));
  bob.on("dropClosed", () => seen.push(`closed ${bob.now() >= startsAtMs + 1500}`));
  expect((await ann.hold(dropId)).result).toBe("notOpen");
  await until(() => ann.state.drops.get(dropId)?.state === "open");
  expect((await ann.hold(dropId)).result).toBe("held");
  await until(() => ann.state.drops.get(dropId)?.state === "closed");
  expect((await bob.hold(dropId)).result).toBe("closed");
  await until(() => seen.length === 2);
  expect(seen).toEqual(["opened true", "closed true"]);
  // What was not sold is the shop's again; the hold stands until its deadline.
  expect(await books(show, dropId)).toMatchObject({ available: 0, held: 1, writtenOff: 4 });
  expect(ann.state.products.get("tea")?.stock).toBe(999);
});

test("[BUY5] after sold out a node refuses by itself, but a repeated key still gets its first answer", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 1);
  const [ann, bob] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(one, show, "bob"),
  ]);
  const first = await ann.hold(dropId, { key: "k" });
  await until(() => ann.state.drops.get(dropId)?.state === "soldOut");
  expect((await bob.hold(dropId)).result).toBe("soldOut");
  const again = await world.join(two, show, "ann");
  expect(await again.hold(dropId, { key: "k" })).toEqual(first);
});

test("[BUY10] each refusal carries its request's number, whatever that is, in both subprotocols", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 1);
  const ann = await world.join(one, show, "ann");
  await ann.hold(dropId);
  await until(() => ann.state.drops.get(dropId)?.state === "soldOut");
  const numbers = [0, 1, 2, 127, 128, 255, 256, 257, 65_536, 0xffff_ffff, 1, 255, 256];
  for (const json of [false, true]) {
    const refused = numbers.map(async (id, i) => {
      const viewerId = `late-${json}-${i}`;
      const token = await world.tokens.sign({ show, viewerId, role: "viewer", name: viewerId });
      const raw = await openRaw(one.url, json);
      raw.ask("hello", { token, show, client: "raw", epoch: "", offset: 0 });
      await until(() => raw.heard("joined").length === 1);
      raw.ask("hold", { id, key: `k${i}`, dropId, quantity: 1, attempt: 0 });
      await until(() => raw.heard("holdAnswered").length === 1);
      raw.close();
      return raw.heard("holdAnswered")[0];
    });
    expect(await Promise.all(refused)).toMatchObject(
      numbers.map((id) => ({ id, result: "soldOut", holdId: "", quantity: 0, retryAfterMs: 0 })),
    );
  }
});

test("[BUY6][I5] a cancelled hold returns its units once, and everybody sees them", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 1);
  const [ann, bob] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(two, show, "bob"),
  ]);
  const hold = await ann.hold(dropId);
  if (hold.result !== "held") throw new Error(hold.result);
  await until(() => bob.state.drops.get(dropId)?.state === "soldOut");
  const cancels = await Promise.all([ann.cancel(hold.holdId), ann.cancel(hold.holdId)]);
  expect(cancels).toEqual([{ result: "cancelled" }, { result: "cancelled" }]);
  expect((await bob.cancel(hold.holdId)).result).toBe("notHeld");
  await until(() => bob.state.drops.get(dropId)?.state === "open");
  expect((await bob.hold(dropId)).result).toBe("held");
  expect(await books(show, dropId)).toMatchObject({ available: 0, held: 1 });
  expect((await ann.pay(hold.holdId)).result).toBe("cancelled");
});

test("[BUY7] an order is told to all of its viewer's devices and to nobody else", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 3);
  const [phone, laptop, other] = await Promise.all([
    world.join(one, show, "ann"),
    world.join(two, show, "ann"),
    world.join(two, show, "bob"),
  ]);
  await phone.hold(dropId, { key: "k" });
  await until(() => laptop.state.orders.get("k")?.state === "held");
  expect(other.state.orders.size).toBe(0);
});

test("[BUY8] an unknown drop and a wrong quantity are clear refusals", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 3, { perBuyerLimit: 2 });
  const ann = await world.join(one, show, "ann");
  await expect(ann.hold("nothing")).rejects.toMatchObject({ code: "notFound", retryable: false });
  expect((await ann.hold(dropId, { quantity: 3 })).result).toBe("limit");
  await expect(ann.hold(dropId, { key: "a|b" })).rejects.toMatchObject({ code: "badRequest" });
});

/** Redis TIME, the one clock of every sale. */
const redisNowMs = async (): Promise<number> => {
  const [seconds, micros] = await world.store.time();
  return Number(seconds) * 1000 + Number(micros) / 1000;
};

test.each([[5000], [-5000]])(
  "[BUY9][F9][I9] a node whose wall clock is %i ms off sells neither early nor late, and shows the right countdown",
  async (offMs) => {
    const wall = Date.now.bind(Date);
    const show = await world.show();
    const startsAtMs = Math.round(await redisNowMs()) + 1500;
    const dropId = await world.drop(show, 5, { startsAtMs, endsAtMs: startsAtMs + 60_000 });
    const spy = vi.spyOn(Date, "now").mockImplementation(() => wall() + offMs);
    try {
      const astray = await world.gateway();
      const ann = await world.join(astray, show, "ann");
      expect(Math.abs(ann.now() - (await redisNowMs()))).toBeLessThan(250);
      expect((await ann.hold(dropId)).result).toBe("notOpen");
      await until(() => ann.state.drops.get(dropId)?.state === "open");
      expect(await redisNowMs()).toBeGreaterThanOrEqual(startsAtMs);
      expect(await redisNowMs()).toBeLessThan(startsAtMs + 1000);
      const hold = await ann.hold(dropId);
      const leftMs = hold.result === "held" ? hold.deadlineMs - (await redisNowMs()) : 0;
      expect(Math.abs(leftMs - 60_000)).toBeLessThan(500);
      await astray.stop();
    } finally {
      spy.mockRestore();
    }
  },
);
