import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Live } from "#sdk";
import { showKeys } from "../../server/redis/keys.ts";
import { drawOrder, entrantOf } from "../../server/shop/draw.ts";
import { readLedger } from "../helpers/books.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let one: Gateway;
let two: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [one, two] = await Promise.all([world.gateway(), world.gateway()]);
});
afterAll(() => world.stop());

const books = async (show: string, dropId: string): Promise<Record<string, number | string>> =>
  JSON.parse((await world.store.hget(showKeys(show).drops, dropId)) ?? "{}") as Record<
    string,
    number
  >;
const stateOf = (live: Live, key: string): string | undefined => live.state.orders.get(key)?.state;
const join = (show: string, names: readonly string[]): Promise<Live[]> =>
  Promise.all(names.map((name, i) => world.join(i % 2 === 0 ? one : two, show, name)));
const balanced = async (show: string): Promise<void> => {
  for (const { books: b } of await readLedger(world.store, show))
    expect(b.allotted + b.restocked).toBe(b.available + b.held + b.sold + b.writtenOff);
};

test("[LINE1][F6] a unit that comes back is offered to those in line, in order, each by a short hold of their own", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 1, { holdMs: 1200 });
  const [ann, bob, cat, dan] = (await join(show, ["ann", "bob", "cat", "dan"])) as [
    Live,
    Live,
    Live,
    Live,
  ];
  expect(await bob.wait(dropId)).toEqual({ result: "notNeeded" });
  const first = await ann.hold(dropId);
  expect(first.result).toBe("held");
  await until(() => dan.state.drops.get(dropId)?.state === "soldOut");
  expect(await bob.wait(dropId, { key: "kb" })).toMatchObject({
    result: "waiting",
    ticket: 1,
    ahead: 0,
  });
  expect(await cat.wait(dropId, { key: "kc" })).toMatchObject({
    result: "waiting",
    ticket: 2,
    ahead: 1,
  });
  expect(await cat.wait(dropId, { key: "kc" })).toMatchObject({
    result: "waiting",
    ticket: 2,
    ahead: 1,
  });
  expect(await cat.wait(dropId, { key: "again" })).toEqual({ result: "limit" });
  // Ann lets it lapse: Bob is offered it, and nobody else can take it meanwhile.
  await until(() => stateOf(bob, "kb") === "held");
  expect((await dan.hold(dropId)).result).toBe("soldOut");
  expect(stateOf(cat, "kc")).toBe("waiting");
  expect(bob.state.orders.get("kb")).toMatchObject({ quantity: 1, amountCents: 4900 });
  // Bob lets it lapse too: Cat's turn. She gives it back: now it is everybody's.
  await until(() => stateOf(cat, "kc") === "held");
  expect(stateOf(bob, "kb")).toBe("expired");
  // Stock frames are spaced out, the order's own frame is not.
  await until(() => cat.state.drops.get(dropId)?.waitServed === 2);
  expect(cat.state.drops.get(dropId)).toMatchObject({
    state: "soldOut",
    waitlisted: 2,
    waitServed: 2,
  });
  await cat.cancel("kc");
  await until(() => dan.state.drops.get(dropId)?.state === "open");
  expect((await dan.hold(dropId)).result).toBe("held");
  await balanced(show);
}, 20_000);

test("[LINE2] leaving the line frees the place; the line ends with the drop, and everybody in it is told", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 1, { endsAtMs: Date.now() + 2500 });
  const [ann, bob, cat] = (await join(show, ["ann", "bob", "cat"])) as [Live, Live, Live];
  const hold = await ann.hold(dropId, { key: "ka" });
  await bob.wait(dropId, { key: "kb" });
  await cat.wait(dropId, { key: "kc" });
  expect((await bob.cancel("kb")).result).toBe("cancelled");
  expect((await bob.pay("kb")).result).toBe("cancelled");
  expect(hold.result).toBe("held");
  await ann.cancel("ka");
  await until(() => stateOf(cat, "kc") === "held");
  await bob.wait(dropId, { key: "kb2" });
  await until(() => stateOf(bob, "kb2") === "expired", 6000);
  expect(bob.state.drops.get(dropId)?.state).toBe("closed");
  expect(await bob.wait(dropId)).toEqual({ result: "closed" });
  await balanced(show);
}, 20_000);

test("[LINE3] a restock serves the line first, then opens a new epoch; it takes units from the product, never more than there are", async () => {
  const show = await world.show(10);
  const dropId = await world.drop(show, 1);
  const [ann, bob, cat] = (await join(show, ["ann", "bob", "cat"])) as [Live, Live, Live];
  await ann.hold(dropId);
  await until(() => cat.state.drops.get(dropId)?.state === "soldOut");
  await bob.wait(dropId, { key: "kb" });
  expect(await world.inventory.restock(show, dropId, 10)).toEqual(["shortStock", 9]);
  expect(await world.inventory.restock(show, dropId, 3)).toEqual(["restocked", 2]);
  await until(() => stateOf(bob, "kb") === "held" && cat.state.drops.get(dropId)?.state === "open");
  expect(cat.state.drops.get(dropId)).toMatchObject({ available: 2, held: 2, restockEpoch: 1 });
  expect(cat.state.products.get("tea")?.stock).toBe(6);
  expect((await cat.hold(dropId)).result).toBe("held");
  await world.inventory.close(show, dropId);
  expect(await world.inventory.restock(show, dropId, 1)).toEqual(["closed", 0]);
  await balanced(show);
});

test("[LINE4] a voided drop gives back every unpaid hold, takes no more, and says why", async () => {
  const show = await world.show(50);
  const dropId = await world.drop(show, 20);
  const names = Array.from({ length: 12 }, (_, i) => `v${i}`);
  const lives = await join(show, names);
  await Promise.all(lives.map((live, i) => live.hold(dropId, { key: `k${i}` })));
  const voided: string[] = [];
  lives[0]?.on("dropVoided", (drop) => voided.push(drop.state));
  expect(await world.inventory.void(show, dropId, "wrong price")).toEqual(["voided", 12]);
  expect(await world.inventory.void(show, dropId, "wrong price")).toEqual(["voided", 0]);
  await until(() => lives.every((live, i) => stateOf(live, `k${i}`) === "cancelled"));
  expect(voided).toEqual(["voided"]);
  expect((await lives[0]?.hold(dropId))?.result).toBe("closed");
  expect(await books(show, dropId)).toMatchObject({
    state: "voided",
    available: 0,
    held: 0,
    sold: 0,
    writtenOff: 20,
  });
  expect(lives[0]?.state.products.get("tea")?.stock).toBe(50);
  await balanced(show);
});

const sha = (text: string): string => createHash("sha256").update(text).digest("hex");

test("[DRAW1] a drawn order is a permutation that anybody can recompute, and no seed favours an entry", () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[0-9a-f]{64}$/),
      fc.uniqueArray(fc.string({ minLength: 1, maxLength: 9 }), { maxLength: 40 }),
      (seed, fields) => {
        const order = drawOrder(seed, fields);
        expect([...order].sort()).toEqual([...fields].sort());
        expect(drawOrder(seed, fields.toReversed())).toEqual(order);
        const ranks = order.map((field) => sha(seed + entrantOf(field)));
        expect(ranks).toEqual(ranks.toSorted());
      },
    ),
  );
  const firsts = new Map<string, number>();
  for (let i = 0; i < 4000; i++) {
    const [winner = ""] = drawOrder(sha(`seed${i}`), ["a", "b", "c", "d"]);
    firsts.set(winner, (firsts.get(winner) ?? 0) + 1);
  }
  for (const n of firsts.values()) expect(Math.abs(n - 1000)).toBeLessThan(170);
});

test.each([["random"], ["lottery"]] as const)(
  "[DRAW2][I2][I9] a %s drop serves those who queued in the order of the published seed",
  async (mode) => {
    const show = await world.show();
    const startsAtMs = Date.now() + 1500;
    const dropId = await world.drop(show, 3, { mode, startsAtMs, endsAtMs: startsAtMs + 60_000 });
    const names = Array.from({ length: 8 }, (_, i) => `v${i}`);
    const lives = await join(show, names);
    const drawn: string[] = [];
    lives[0]?.on("dropDrawn", (drop) => drawn.push(drop.state));
    const waits = await Promise.all(lives.map((live, i) => live.wait(dropId, { key: `k${i}` })));
    expect(waits.every((w) => w.result === "waiting")).toBe(true);
    expect((await lives[0]?.hold(dropId))?.result).toBe("notOpen");
    const seedHash = lives[0]?.state.drops.get(dropId)?.seedHash ?? "";
    expect(seedHash).toMatch(/^[0-9a-f]{64}$/);
    await until(() => lives.filter((live, i) => stateOf(live, `k${i}`) === "held").length === 3);
    const seed = (await world.store.hget(showKeys(show).seeds, dropId)) ?? "";
    expect(createHash("sha256").update(seed).digest("hex")).toBe(seedHash);
    const order = drawOrder(
      seed,
      names.map((name, i) => `${name}|k${i}`),
    );
    const winners = lives.flatMap((live, i) =>
      stateOf(live, `k${i}`) === "held" ? [`${names[i]}|k${i}`] : [],
    );
    expect(new Set(winners)).toEqual(new Set(order.slice(0, 3)));
    // Those who were not drawn keep their rank as their place in line.
    await until(() => {
      const next = lives[names.indexOf((order[3] ?? "").split("|")[0] ?? "")];
      return [...(next?.state.orders.values() ?? [])][0]?.ticket === 4;
    });
    expect(await books(show, dropId)).toMatchObject({
      state: "soldOut",
      available: 0,
      held: 3,
      waitlisted: 8,
      waitServed: 3,
    });
    expect(drawn).toHaveLength(1);
    const late = await world.join(one, show, "late");
    expect((await late.wait(dropId)).result).toBe(mode === "lottery" ? "tooLate" : "waiting");
    expect((await late.hold(dropId)).result).toBe("soldOut");
    await balanced(show);
  },
  20_000,
);
