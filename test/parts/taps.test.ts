/** Taps: holds whose answer rides on what the log tells anyway. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { DownFrame } from "#wire";
import { type FrameClient, frameClient } from "../helpers/frame-client.ts";
import { type Gateway, startWorld, until, type World } from "../helpers/rooms.ts";

let world: World;
let gateways: readonly Gateway[];
beforeAll(async () => {
  world = await startWorld();
  gateways = await Promise.all([world.gateway(), world.gateway()]);
});
afterAll(() => world.stop());

const BUYERS = 60;
const UNITS = 7;

const heardOf = <K extends DownFrame["kind"]>(
  { heard }: FrameClient,
  kind: K,
): Extract<DownFrame, { kind: K }>[] =>
  heard.filter((frame): frame is Extract<DownFrame, { kind: K }> => frame.kind === kind);

const join = async (show: string, viewerId: string, at = 0): Promise<FrameClient> => {
  const { url } = gateways[at % gateways.length] as Gateway;
  return frameClient(
    url,
    show,
    await world.tokens.sign({ show, viewerId, role: "viewer", name: viewerId }),
  );
};

const tap = (dropId: string, key: string, restockEpoch = 0) =>
  ({ dropId, key, quantity: 1, restockEpoch, attempt: 0 }) as const;

test('[BUY11][I2][F12] taps are answered by the log: winners by their order, all others by "sold out", without a frame of their own', async () => {
  const show = await world.show();
  const dropId = await world.drop(show, UNITS);
  const buyers = await Promise.all(
    Array.from({ length: BUYERS }, (_, i) => join(show, `b${i}`, i)),
  );
  buyers.forEach((buyer, i) => void buyer.ask("tap", tap(dropId, `k${i}`)));
  await until(() => buyers.every((buyer) => heardOf(buyer, "dropSoldOut").length === 1));
  // What came behind it has come too.
  await Promise.all(
    buyers.map((buyer) =>
      buyer.ask("pass", { dropId, key: "p", challenge: "", nonce: 0, attempt: 0 }),
    ),
  );
  const winners = buyers.filter((buyer) => heardOf(buyer, "orderChanged").length > 0);
  expect(winners).toHaveLength(UNITS);
  for (const buyer of buyers) {
    const [event] = heardOf(buyer, "dropSoldOut");
    expect(event).toMatchObject({ dropId, restockEpoch: 0, answersTaps: true });
    expect(heardOf(buyer, "holdAnswered")).toEqual([]);
    const kinds = buyer.heard.map(({ kind }) => kind);
    if (winners.includes(buyer))
      expect(kinds.indexOf("orderChanged"), "the order comes first").toBeLessThan(
        kinds.indexOf("dropSoldOut"),
      );
  }
  // Asked again in so many words, everybody gets the same answer.
  const again = await Promise.all(
    buyers.map((buyer, i) => buyer.ask("hold", { dropId, key: `k${i}`, quantity: 1, attempt: 1 })),
  );
  again.forEach(({ result }, i) =>
    expect(result).toBe(winners.includes(buyers[i] as FrameClient) ? "held" : "soldOut"),
  );
  for (const buyer of buyers) buyer.close();
});

test("[BUY12][I3] a tap of a restock epoch that has ended is refused in so many words, whatever came back", async () => {
  const show = await world.show();
  const dropId = await world.drop(show, 1);
  const [ann, bob] = [await join(show, "ann"), await join(show, "bob", 1)];
  expect((await ann.ask("hold", { dropId, key: "a", quantity: 1, attempt: 0 })).result).toBe(
    "held",
  );
  await until(() => heardOf(bob, "dropSoldOut").length === 1);
  expect(await world.inventory.restock(show, dropId, 5)).toEqual(["restocked", 5]);
  await until(() => heardOf(bob, "stockChanged").some(({ restockEpoch }) => restockEpoch === 1));
  expect((await bob.ask("tap", tap(dropId, "late", 0))).result).toBe("soldOut");
  void bob.ask("tap", tap(dropId, "now", 1));
  await until(() => heardOf(bob, "orderChanged").length === 1);
  expect(heardOf(bob, "orderChanged")[0]).toMatchObject({ holdId: "now", state: "held" });
  // More than there is, while there is some: nothing sells out, so the refusal comes by itself.
  const many = { ...tap(dropId, "many", 1), quantity: 50 };
  expect((await ann.ask("tap", many)).result).toBe("soldOut");
  for (const buyer of [ann, bob]) buyer.close();
});
