/** A network that blocks WebSockets: the same show over a stream of events and POSTs, with the SDK in Node and the page in a browser. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowsing, type Browsing } from "../helpers/browsing.ts";
import { type BlockingProxy, startBlockingProxy } from "../helpers/blocking-proxy.ts";
import { until } from "../helpers/rooms.ts";

let world: Browsing;
let network: BlockingProxy;
beforeAll(async () => {
  world = await startBrowsing({
    GATEWAYS: "2",
    MEDIA_WORKERS: "0",
    DRAIN_MS: "800",
    PAY_SANDBOX_DELAY_MS: "100",
  });
  network = await startBlockingProxy(world.server.rtPort);
});
afterAll(async () => {
  await world.stop();
  await network.stop();
});

test("[SSE1][I7] where WebSockets are refused the SDK joins by itself over events and POSTs, on any gateway of the port: talk, likes, a purchase, a resume, a move", async () => {
  const { shop, server } = world;
  const show = await shop.show(100);
  const dropId = await shop.drop(show, { allotment: 5, perBuyerLimit: 5 });
  const url = `ws://127.0.0.1:${network.port}`;
  const behind = await shop.join(show, "behind", { url });
  const outside = await shop.join(show, "outside");
  expect(network.refused).toBeGreaterThanOrEqual(2);
  const pins: string[] = [];
  const connections: string[] = [];
  behind.on("pinned", ({ skus }) => pins.push(skus.join() || "none"));
  behind.on("connectionChanged", (c) => connections.push(`${c.connection} ${c.resumed ?? ""}`));

  // Several requests, each on whichever gateway the port gives it: what comes to the wrong one is handed on.
  for (let i = 0; i < 4; i++)
    expect(await behind.comment(`hi ${i}`)).toMatchObject({ result: "accepted" });
  await outside.comment("hello");
  behind.like(5);
  behind.share();
  const texts = (): string[] => behind.state.comments.map(({ text }) => text);
  await until(() => outside.state.likes === 5 && outside.state.shares === 1);
  await until(() => texts().includes("hello") && texts().includes("hi 3"));
  const hold = await behind.hold(dropId);
  if (hold.result !== "held") throw new Error(hold.result);
  expect(await behind.pay(hold.holdId)).toMatchObject({ result: "sold" });
  await until(() => outside.state.drops.get(dropId)?.sold === 1);

  network.cut();
  await until(() => connections.includes("waiting "));
  await shop.call("DELETE", `/v1/shows/${show}/pins/tea`);
  await shop.call("POST", `/v1/shows/${show}/pins`, { sku: "tea" });
  await until(() => connections.at(-1) === "live caughtUp", 15_000);
  await until(() => pins.length === 2);

  process.kill(server.pid, "SIGUSR2");
  await server.printed(/deploy: over/, 60_000);
  await shop.call("DELETE", `/v1/shows/${show}/pins/tea`);
  await until(() => pins.length === 3, 15_000);
  expect(pins).toEqual(["none", "tea", "none"]);
  // Moved at least once, and never without the room.
  expect(connections.slice(2).length).toBeGreaterThan(0);
  expect(new Set(connections.slice(2))).toEqual(new Set(["live caughtUp"]));
  expect(await behind.cancel(await heldAgain()).then(({ result }) => result)).toBe("cancelled");

  async function heldAgain(): Promise<string> {
    const again = await behind.hold(dropId);
    if (again.result !== "held") throw new Error(again.result);
    return again.holdId;
  }
}, 120_000);

test("[SSE2] the viewer's page works where WebSockets are refused: comments, likes, a purchase", async () => {
  const { shop, open, faults } = world;
  const show = await shop.show(100);
  const dropId = await shop.drop(show, { allotment: 5 });
  const outside = await shop.join(show, "outside2");
  const page = await open("/healthz");
  await page.route("**/v1/config", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ json: { ...((await answer.json()) as object), rtPort: network.port } });
  });
  const refusedBefore = network.refused;
  await page.goto(`${world.server.httpUrl}/watch/${show}`);
  const buy = page.getByTestId("buy").first();
  await buy.waitFor({ timeout: 20_000 });
  expect(network.refused).toBeGreaterThanOrEqual(refusedBefore + 2);
  await outside.comment("from outside");
  await page.getByText("from outside").first().waitFor();
  await page.getByTestId("comment-input").fill("from the page");
  await page.getByTestId("comment-send").click();
  await until(() => outside.state.comments.some(({ text }) => text === "from the page"));
  await page.getByTestId("like").click();
  await until(() => outside.state.likes > 0);
  await buy.click();
  await page.getByTestId("pay").click();
  await until(() => outside.state.drops.get(dropId)?.sold === 1);
  await until(async () => (await page.getByTestId("order-state").count()) > 0);
  expect(faults).toEqual([]);
}, 60_000);
