import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deriveTokenSecret } from "../../server/config.ts";
import { createPasses } from "../../server/passes.ts";
import { showKeys } from "../../server/redis/keys.ts";
import type { DropAnswer } from "../../server/shop/inventory.ts";
import { frameClient, type FrameClient } from "../helpers/frame-client.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let one: Gateway;
let two: Gateway;
beforeAll(async () => {
  world = await startWorld();
  [one, two] = await Promise.all([
    world.gateway("n1", { PROOF_BITS: "8" }),
    world.gateway("n2", { PROOF_BITS: "8" }),
  ]);
});
afterAll(() => world.stop());

/** As the gateways sign them. */
const forged = createPasses("another secret, 0123456789", 8);
const genuine = createPasses(deriveTokenSecret("test-admin-key-0123456789"), 8);
const SOON_MS = 60_000;

const seen = (live: Awaited<ReturnType<World["join"]>>, dropId: string): Promise<unknown> =>
  until(() => live.state.drops.has(dropId));
/** A viewer who sends what they please. */
const raw = async (gateway: Gateway, show: string, viewerId: string): Promise<FrameClient> => {
  const token = await world.tokens.sign({ show, viewerId, role: "viewer", name: viewerId });
  return frameClient(gateway.url, show, token);
};

test("[PASS1] a drop with admission sells to who asked for a pass, before the start or at once; the others are told", async () => {
  const show = await world.show();
  const ann = await world.join(one, show, "ann");
  for (const admission of ["token", "proof"] as const) {
    const startsAtMs = Date.now() + 1500;
    const dropId = await world.drop(show, 5, { admission, startsAtMs, perBuyerLimit: 2 });
    await seen(ann, dropId);
    const ready = await ann.prepare(dropId);
    expect(ready).toMatchObject({ result: "ready" });
    await until(() => ann.state.drops.get(dropId)?.state === "open");
    const key = "key" in ready ? ready.key : "";
    expect(await ann.hold(dropId, { key })).toMatchObject({ result: "held", holdId: key });
    // Without having asked before: it takes the way a little longer.
    expect((await ann.hold(dropId)).result).toBe("held");
    const bob = await raw(two, show, "bob");
    const hold = { key: "b1", dropId, quantity: 1, attempt: 0 };
    expect((await bob.ask("hold", hold)).result).toBe("pass");
    bob.close();
  }
  const open = await world.drop(show, 5);
  await seen(ann, open);
  expect(await ann.prepare(open)).toEqual({ result: "notNeeded" });
});

test("[PASS2][I3] one pass in three tabs on two nodes is one hold; its key repeated gets its first answer, another key nothing", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 10, { admission: "token", perBuyerLimit: 9 });
  const tabs = await Promise.all([one, two, two].map((at) => raw(at, show, "ann")));
  const [first] = tabs as [FrameClient];
  // The drop may be news to this node yet.
  await until(async () => (await first.ask("pass", wish(dropId))).result === "pass");
  const { pass } = await first.ask("pass", wish(dropId));
  const redeem = { key: "k1", dropId, quantity: 1, coupons: [], pass, attempt: 0 };
  const answers = await Promise.all(
    tabs.flatMap((tab) => [tab.ask("redeem", redeem), tab.ask("redeem", redeem)]),
  );
  for (const answer of answers) expect(answer).toMatchObject({ result: "held", holdId: "k1" });
  expect(new Set(answers.map(({ deadlineMs }) => deadlineMs)).size).toBe(1);
  for (const tab of tabs)
    expect((await tab.ask("redeem", { ...redeem, key: "k2" })).result).toBe("pass");
  // Its answer stands, whatever it is asked with.
  const again = await first.ask("hold", { key: "k1", dropId, quantity: 1, attempt: 1 });
  expect(again).toMatchObject({ result: "held", holdId: "k1" });
  for (const tab of tabs) tab.close();
});

test("[PASS3] a pass that is forged, expired, of another viewer, drop or show, or without its proof, admits nobody", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 10, { admission: "proof" });
  const ann = await raw(one, show, "ann");
  const attempt = { show, viewerId: "ann", dropId, key: "k1" };
  const inTime = Date.now() + SOON_MS;
  const bad = {
    none: "",
    rubbish: "p123.abc",
    forged: forged.issue(attempt, "proof", inTime),
    expired: genuine.issue(attempt, "proof", Date.now() - 1),
    anotherViewer: genuine.issue({ ...attempt, viewerId: "bob" }, "proof", inTime),
    anotherDrop: genuine.issue({ ...attempt, dropId: "d2" }, "proof", inTime),
    anotherShow: genuine.issue({ ...attempt, show: "s2" }, "proof", inTime),
    anotherKey: genuine.issue({ ...attempt, key: "k2" }, "proof", inTime),
    withoutProof: genuine.issue(attempt, "pass", inTime),
    longerLife: genuine.issue(attempt, "proof", inTime).replace(/^w\w+/, "wzzzzzzzz"),
    aChallenge: genuine.challenge(attempt, inTime).challenge,
  };
  for (const [why, pass] of Object.entries(bad)) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const redeem = { key: "k1", dropId, quantity: 1, coupons: [], pass, attempt: 0 };
    expect((await ann.ask("redeem", redeem)).result, why).toBe("pass");
  }
  const pass = genuine.issue(attempt, "proof", inTime);
  const redeem = { key: "k1", dropId, quantity: 1, coupons: [], pass, attempt: 0 };
  expect((await ann.ask("redeem", redeem)).result).toBe("held");
  ann.close();
});

test("[PASS4] a challenge is solved for one viewer, drop and key; wrong, old and foreign solutions get a new challenge", async () => {
  const attempt = { show: "s", viewerId: "ann", dropId: "d", key: "k" };
  const { challenge, bits } = genuine.challenge(attempt, 1000);
  const { solve } = await import("../../client-sdk/proof.ts");
  const nonce = await solve(challenge, bits);
  expect(genuine.solves(challenge, nonce, attempt, 0)).toBe(true);
  expect(genuine.solves(challenge, nonce, attempt, 1000)).toBe(false);
  for (const other of ["show", "viewerId", "dropId", "key"])
    expect(genuine.solves(challenge, nonce, { ...attempt, [other]: "x" }, 0)).toBe(false);
  expect(forged.solves(challenge, nonce, attempt, 0)).toBe(false);
  // Of 4,000 wrong ones about 16 solve it by chance at 8 bits.
  let lucky = 0;
  for (let i = 1; i <= 4000; i++) if (genuine.solves(challenge, nonce + i, attempt, 0)) lucky++;
  expect(lucky).toBeLessThan(60);
});

test("[PASS5][I2][I3] whatever passes are shown for whatever keys, on two nodes: one hold per pass at most, none without", async () => {
  const viewers = ["ann", "bob"] as const;
  const keys = ["k1", "k2", "k3"] as const;
  const tryOf = fc.record({
    node: fc.constantFrom(0, 1),
    viewerId: fc.constantFrom(...viewers),
    key: fc.constantFrom(...keys),
    /** Whose pass, for which key; "" none. */
    passOf: fc.constantFrom("", ...viewers),
    passKey: fc.constantFrom(...keys),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(tryOf, { minLength: 1, maxLength: 12 }), async (tries) => {
      const show = await world.show();
      const dropId = await world.drop(show, 4, { admission: "token", perBuyerLimit: 9 });
      const clients = new Map<string, FrameClient>();
      for (const node of [0, 1])
        for (const viewerId of viewers)
          clients.set(`${node}${viewerId}`, await raw(node === 0 ? one : two, show, viewerId));
      const answers = await Promise.all(
        tries.map(({ node, viewerId, key, passOf, passKey }) => {
          const of = { show, viewerId: passOf, dropId, key: passKey };
          const pass = passOf === "" ? "" : genuine.issue(of, "pass", Date.now() + SOON_MS);
          const client = clients.get(`${node}${viewerId}`) as FrameClient;
          return client.ask("redeem", { key, dropId, quantity: 1, coupons: [], pass, attempt: 0 });
        }),
      );
      const isLawful = (t: (typeof tries)[number]): boolean =>
        t.passOf === t.viewerId && t.passKey === t.key;
      const admitted = new Set(tries.filter(isLawful).map((t) => `${t.viewerId}|${t.key}`));
      const held = new Set<string>();
      tries.forEach((t, i) => {
        const { result } = answers[i] as { result: string };
        const name = `${t.viewerId}|${t.key}`;
        if (result === "held") held.add(name);
        if (!admitted.has(name)) expect(result).toBe(result === "soldOut" ? "soldOut" : "pass");
        else if (isLawful(t)) expect(["held", "soldOut"]).toContain(result);
      });
      expect(held.size).toBe(Math.min(4, admitted.size));
      for (const name of held) expect(admitted).toContain(name);
      for (const client of clients.values()) client.close();
    }),
    { numRuns: 25 },
  );
});

test("[PASS6] a node that has not heard of the drop lets nobody past: the atomic step asks for the pass itself", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 5, { admission: "proof" });
  const hold = { what: "hold", key: "k", dropId, quantity: 1 } as const;
  const asked = await world.inventory.decide(show, [
    { ...hold, viewerId: "a" },
    { ...hold, viewerId: "b", admitted: { level: 2, flags: "" } },
    { ...hold, viewerId: "c", admitted: { level: 3, flags: "instant" } },
    { ...hold, viewerId: "c" },
  ]);
  expect(asked.map(([word]: DropAnswer) => word)).toEqual(["pass", "pass", "held", "held"]);
});

test("[PASS7] a place in line of a drop with admission takes a pass too, and a drawn one serves only who had it", async () => {
  const show = await world.show();
  const startsAtMs = Date.now() + 2500;
  const dropId = await world.drop(show, 1, { admission: "token", mode: "lottery", startsAtMs });
  const ann = await world.join(one, show, "ann");
  const bob = await raw(two, show, "bob");
  await seen(ann, dropId);
  const wish = { key: "b", dropId, quantity: 1, pass: "", attempt: 0 };
  expect((await bob.ask("wait", wish)).result).toBe("pass");
  expect((await ann.wait(dropId)).result).toBe("waiting");
  const order = await until(
    () => [...ann.state.orders.values()].find((o) => o.state === "held"),
    15_000,
  );
  expect(order.dropId).toBe(dropId);
  bob.close();
});

test("[PASS8] passes are given out at a rate: who is told to wait is served soon after, by the SDK itself", async () => {
  const slow = await world.gateway("slow", { PASSES_PER_SECOND: "5" });
  const show = await world.show();
  const dropId = await world.drop(show, 30, { admission: "token" });
  const crowd = await Promise.all(
    Array.from({ length: 12 }, (_, i) => world.join(slow, show, `v${i}`)),
  );
  await Promise.all(crowd.map((live) => seen(live, dropId)));
  const startedMs = performance.now();
  const answers = await Promise.all(crowd.map((live) => live.prepare(dropId)));
  expect(answers.map(({ result }) => result)).toEqual(crowd.map(() => "ready"));
  // Five at once, then five a second.
  expect(performance.now() - startedMs).toBeGreaterThan(((12 - 5) / 5) * 1000 - 50);
});

test("[PASS9] a drop that checks the suspicious: others just buy; who was refused again and again first solves a puzzle, and is marked", async () => {
  const show = await world.show();
  const gone = await world.drop(show, 1);
  const dropId = await world.drop(show, 5, { admission: "flagged" });
  // Not new, and not quicker than a hand.
  const old = async (viewerId: string): Promise<{ token: string }> => ({
    token: await world.tokens.sign({ show, viewerId, role: "viewer", name: viewerId, sinceMs: 1 }),
  });
  const ann = await world.join(one, show, "ann", await old("ann"));
  const bob = await world.join(one, show, "bob", await old("bob"));
  await seen(ann, dropId);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await ann.hold(gone)).result).toBe("held");
  expect((await ann.hold(dropId)).result).toBe("held");
  const tries = Array.from({ length: 30 }, () => bob.hold(gone));
  for (const { result } of await Promise.all(tries))
    expect(["soldOut", "tooFast"]).toContain(result);
  const key = "bobs";
  const rawBob = await frameClient(one.url, show, (await old("bob")).token);
  const plain = await until(async () => {
    const { result } = await rawBob.ask("hold", { key, dropId, quantity: 1, attempt: 0 });
    return result === "tooFast" ? undefined : result;
  });
  expect(plain).toBe("pass");
  await until(async () => (await bob.hold(dropId, { key })).result === "held");
  const { flags } = showKeys(show);
  expect(await world.store.hgetall(flags)).toEqual({ "bob|bobs": "insistent" });
  rawBob.close();
});

const wish = (dropId: string) => ({ key: "k1", dropId, challenge: "", nonce: 0, attempt: 0 });
