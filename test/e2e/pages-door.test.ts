import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Browsing, startBrowsing } from "../helpers/browsing.ts";
import { until } from "../helpers/rooms.ts";

let world: Browsing;
beforeAll(async () => {
  // Of three places one is for those who come back.
  world = await startBrowsing({ MEDIA_WORKERS: "0", MAX_VIEWERS: "3", PROOF_BITS: "14" });
});
afterAll(() => world.stop());
// A place of the few is given back whatever came of the test before.
afterEach(() => world.leave());

test("[PAGE13] a drop that asks for a proof: the page gets ready by itself before the start, then one tap buys", async () => {
  const { shop, open, server } = world;
  const show = await shop.show(5);
  const page = await open(`/watch/${show}`);
  await page.getByTestId("comment-input").waitFor();
  const { dropId } = await shop.call<{ dropId: string }>("POST", `/v1/shows/${show}/drops`, {
    sku: "tea",
    priceCents: 4900,
    allotment: 2,
    startsAtMs: Date.now() + 9000,
    admission: "proof",
  });
  await page.getByText("You are ready to buy at the start").waitFor();
  const buy = page.getByTestId("buy");
  await until(async () => (await buy.getAttribute("data-offer")) === "buy", 20_000);
  await buy.click();
  await page.getByTestId("pay").waitFor();
  // Whoever comes later is let through on the way.
  const late = await open(`/watch/${show}`);
  await late.getByTestId("buy").click();
  await late.getByTestId("pay").waitFor();
  const drop = await shop.call("GET", `/v1/shows/${show}/drops/${dropId}`);
  expect(drop).toMatchObject({ held: 2, available: 0, admission: "proof" });
  const metrics = await (await fetch(`${server.httpUrl}/metrics`)).text();
  expect(metrics).toContain("dropcast_node_holds_flagged");
});

test("[ADM4] beyond the cap a page waits at the door, and is let in by itself when somebody leaves", async () => {
  const { shop, open, faults } = world;
  const show = await shop.show(5);
  const first = await open(`/watch/${show}`);
  await first.getByTestId("comment-input").waitFor();
  const second = await open(`/watch/${show}`);
  await second.getByTestId("comment-input").waitFor();
  const third = await open(`/watch/${show}`);
  const room = third.getByTestId("waiting-room");
  await room.getByText("The room is full").waitFor();
  await room.getByText("You are the only one at the door").waitFor();
  await room.getByText(/Next try in \d+ s/).waitFor();
  await third.evaluate(() => ((globalThis as { stayed?: boolean }).stayed = true));
  await third.getByTestId("lang").click();
  await room.getByText("直播间满员了").waitFor();
  await first.context().close();
  await third.getByTestId("comment-input").waitFor({ timeout: 25_000 });
  expect(await third.evaluate(() => (globalThis as { stayed?: boolean }).stayed)).toBe(true);
  expect(faults).toEqual([]);
});
