/** What the network, a signal or a clock does to Redis and to single gateways, in the middle of a drop, with a crowd in the room. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Buyer } from "../helpers/buyers.ts";
import { type Fleet, startFleet } from "../helpers/fleet.ts";
import { until } from "../helpers/rooms.ts";

let fleet: Fleet;
beforeAll(async () => {
  fleet = await startFleet();
});
afterAll(() => fleet.stop());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Loses the reply to what `ask` sends. @returns its answer */
async function withoutReply<T>(text: string, ask: () => Promise<T>): Promise<T> {
  const { happened } = await fleet.wire.loseReplyTo(text);
  const [answer] = await Promise.all([ask(), happened]);
  return answer;
}

test("[FAULT8][F2][I3][I10] a reply of Redis is lost on the wire: whatever was asked is sent again, stands once, and has one answer", async () => {
  const show = await fleet.shop.show(500);
  const crowd = await fleet.crowd(show, 150);
  const dropId = await fleet.shop.drop(show, { allotment: 100, perBuyerLimit: 3 });
  const buyers = await fleet.buyers(show, 10);
  const [ann, bob] = buyers as [Buyer, Buyer];
  const rush = crowd.holdAll(dropId, { withinMs: 4000 });

  const held = await withoutReply("hold-1", () => ann.hold(dropId, "hold-1"));
  expect(held).toMatchObject({ result: "held" });
  expect(await ann.hold(dropId, "hold-1")).toEqual(held);
  await bob.hold(dropId, "hold-2");
  const cancelled = await withoutReply("hold-2", () => bob.cancel("hold-2"));
  expect(cancelled).toEqual({ result: "cancelled" });

  // First the request to pay, then, while the provider takes its time, the word of the cashier.
  const paid = withoutReply("hold-1", () => ann.pay("hold-1"));
  await until(() => ann.states.get("hold-1")?.includes("paying"));
  const settled = await fleet.wire.loseReplyTo("hold-1");
  await settled.happened;
  expect(await paid).toMatchObject({ result: "sold" });

  await rush;
  const path = `/v1/shows/${show}/drops/${dropId}`;
  const drop = await withoutReply(dropId, () =>
    fleet.shop.call("POST", `${path}/restock`, { units: 20 }),
  );
  expect(drop).toMatchObject({ restocked: 20, allotted: 100 });

  await withoutReply("lost-words", () => ann.say("lost-words"));
  await withoutReply("b3", async () => buyers[3]?.like(7));
  await fleet.check(show, { buyers, crowd });
}, 90_000);

test("[FAULT9][F2][F12] Redis stands still for 5 s in the middle of a rush: everybody gets an answer, the same however often it is asked, and no unit goes twice", async () => {
  const show = await fleet.shop.show(500);
  const crowd = await fleet.crowd(show, 200);
  const dropId = await fleet.shop.drop(show, { allotment: 120, perBuyerLimit: 1 });
  const buyers = await fleet.buyers(show, 20);
  const rush = crowd.holdAll(dropId, { withinMs: 3000, answerWithinMs: 60_000 });
  const holds = Promise.all(
    buyers.map(async (buyer, i) => {
      await sleep(i * 150);
      return buyer.hold(dropId, `k${i}`);
    }),
  );
  await sleep(700);
  await fleet.redis.kill("SIGSTOP");
  await sleep(5000);
  await fleet.redis.kill("SIGCONT");
  const { asked, answered, byResult } = await rush;
  const answers = await holds;
  expect({ asked, answered }).toEqual({ asked: 200, answered: 200 });
  const held = answers.filter(({ result }) => result === "held").length;
  expect(held + (byResult.held ?? 0)).toBe(120);
  for (const [i, buyer] of buyers.entries())
    expect(await buyer.hold(dropId, `k${i}`)).toEqual(answers[i]);
  await Promise.all(
    buyers
      .filter((_, i) => answers[i]?.result === "held")
      .map((b) => b.pay([...b.holds.keys()][0] ?? "")),
  );
  await fleet.check(show, { buyers, crowd });
}, 90_000);

test("[FAULT10][F2][F11] a gateway is killed before Redis has heard of a hold: the same key is decided once, elsewhere", async () => {
  const show = await fleet.shop.show(100);
  const dropId = await fleet.shop.drop(show, { allotment: 5 });
  const doomed = await fleet.gateway({ FAULT_POINT: "holdAsked" });
  const ann = await fleet.buyer(show, "ann", [doomed.url, fleet.server.wsUrl]);
  const others = await fleet.buyers(show, 8);
  const breaks: string[] = [];
  ann.live.on("connectionChanged", ({ connection }) => breaks.push(connection));
  const first = await ann.hold(dropId, "the-key");
  expect((await doomed.process.exited).signal).toBe("SIGKILL");
  expect(first).toMatchObject({ result: "held", holdId: "the-key" });
  expect(breaks).toEqual(["waiting", "live"]);
  const results = await Promise.all(others.map((buyer) => buyer.hold(dropId, "theirs")));
  expect(results.filter(({ result }) => result === "held")).toHaveLength(4);
  expect(await ann.hold(dropId, "the-key")).toEqual(first);
  await fleet.check(show, { buyers: [ann, ...others] });
}, 60_000);
