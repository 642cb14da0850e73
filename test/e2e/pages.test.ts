import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BackEnd } from "../helpers/back-end.ts";
import { type Browsing, startBrowsing } from "../helpers/browsing.ts";
import { until } from "../helpers/rooms.ts";
import type { WholeServer } from "../helpers/server.ts";

let world: Browsing;
let server: WholeServer;
let shop: BackEnd;
let open: Browsing["open"];
let faults: readonly string[];
beforeAll(async () => {
  world = await startBrowsing({ MEDIA_WORKERS: "0" });
  ({ server, shop, open, faults } = world);
});
afterAll(() => world.stop());

const desk = { viewport: { width: 1440, height: 900 } };
const textOf = (page: Page, id: string): Promise<string> => page.getByTestId(id).innerText();
const offerOf = (page: Page): Promise<string | null> =>
  page.getByTestId("buy").getAttribute("data-offer");
const ends = (...pages: readonly Page[]): Promise<unknown> =>
  Promise.all(pages.map((page) => page.context().close()));

test("[PAGE1] a show that does not exist is said in words, in the browser's language, and the switch is remembered", async () => {
  const page = await open("/watch/nothing-here", { locale: "zh-CN" });
  await page.getByText("没有这场直播").waitFor();
  await page.getByTestId("lang").click();
  await page.getByText("There is no such show").waitFor();
  await page.reload();
  await page.getByText("There is no such show").waitFor();
  await ends(page);
});

test("[PAGE2] the buy button tells the truth: countdown, open, held, sold out with a place in line, one's turn", async () => {
  const show = await shop.show(5);
  const [winner, late] = await Promise.all([open(`/watch/${show}`), open(`/watch/${show}`)]);
  await late.getByTestId("comment-input").waitFor();
  const startsAtMs = Date.now() + 3000;
  await shop.drop(show, { allotment: 1, holdMs: 5000, startsAtMs, endsAtMs: startsAtMs + 60_000 });
  await winner.getByTestId("drop-countdown").waitFor();
  expect(await offerOf(winner)).toBe("soon");
  expect(await winner.getByTestId("buy").isDisabled()).toBe(true);
  expect(await textOf(winner, "drop-countdown")).toMatch(/Starts in 00:0\d/);
  await until(async () => (await offerOf(winner)) === "buy", 6000);
  await winner.getByTestId("buy").click();
  await winner.getByTestId("hold-timer").waitFor();
  expect(await textOf(winner, "order-state")).toBe("Held for you");
  await until(async () => /Sold out/.test(await textOf(late, "stock")));
  expect(await offerOf(late)).toBe("waitlist");
  await late.getByTestId("buy").click();
  await until(async () => (await textOf(late, "order-state")) === "On the waitlist");
  // The winner does not pay.
  await until(async () => (await textOf(late, "order-state")) === "Held for you", 10_000);
  expect(await textOf(winner, "order-state")).toBe("Hold expired");
  await late.getByTestId("pay").click();
  await until(async () => (await textOf(late, "order-state")) === "Sold to you", 10_000);
  await ends(winner, late);
});

test("[PAGE3][I3] an attempt without an answer is asked again after a reload, with the key it was made with", async () => {
  const show = await shop.show(5);
  const dropId = await shop.drop(show, { allotment: 5, holdMs: 60_000 });
  const page = await open(`/watch/${show}`);
  await page.getByTestId("buy").waitFor();
  const key = "made-before-the-reload";
  await page.evaluate(
    ([name = "", drop, made]) => {
      const { viewerId } = JSON.parse(localStorage.getItem(`dropcast.ticket.${name}`) ?? "{}");
      const attempt = { what: "hold", key: made, quantity: 1 };
      sessionStorage.setItem(`dropcast.hold.${name}.${viewerId}.${drop}`, JSON.stringify(attempt));
    },
    [show, dropId, key],
  );
  for (let reloads = 0; reloads < 2; reloads++) {
    await page.reload();
    await page.getByTestId("hold-timer").waitFor();
  }
  await page.getByTestId("pay").click();
  await until(async () => (await textOf(page, "order-state")) === "Sold to you", 10_000);
  const { orders } = await shop.call<{ orders: { holdId: string }[] }>(
    "GET",
    `/v1/shows/${show}/orders`,
  );
  expect(orders.map((order) => order.holdId)).toEqual([key]);
  await ends(page);
});

test("[PAGE4] the host's key leaves the address, a refusal stands beside its field, pin, drop, mute and delete reach viewers", async () => {
  const show = await shop.show(3);
  const host = await open(`/host/${show}#key=${server.adminKey}`, desk);
  const viewer = await open(`/watch/${show}`);
  await host.getByTestId("drop-start").waitFor();
  expect(host.url()).not.toContain(server.adminKey);
  await viewer.getByTestId("product-card").waitFor();
  await host.getByTestId("pin-tea").click();
  await viewer.getByTestId("product-card").waitFor({ state: "detached" });

  await host.locator("[name=allotment]").fill("9");
  await host.getByTestId("drop-start").click();
  await host.locator(".field:has([name=allotment]) .field-refusal").waitFor();
  await host.locator("[name=allotment]").fill("2");
  await host.getByTestId("drop-start").click();
  await viewer.getByTestId("drop-countdown").waitFor();

  await viewer.getByTestId("comment-input").fill("first words");
  await viewer.getByTestId("comment-send").click();
  await host.getByTestId("comment-list").getByText("first words").waitFor();
  await host.locator("[data-testid^=mute-]").click();
  await host.locator("[data-testid^=mute-][aria-pressed=true]").waitFor();
  await viewer.getByTestId("comment-input").fill("more words");
  await viewer.getByTestId("comment-send").click();
  await viewer.getByText(/paused your comments/).waitFor();
  expect(await viewer.getByTestId("comment-input").inputValue()).toBe("more words");
  await host.locator(".talk-row").first().press("d");
  await host.locator(".talk-row").first().press("d");
  await viewer.getByText("first words").waitFor({ state: "detached" });
  await ends(host, viewer);
});

test("[PAGE5] the operator's page says its sentence and shows the drop's books; a wrong key is told why", async () => {
  const show = await shop.show(3);
  await shop.drop(show, { allotment: 3 });
  const page = await open("/ops#key=not-the-admin-key", desk);
  await page.getByText(/token is wrong/).waitFor();
  await page.locator("[name=key]").fill(server.adminKey);
  await page.locator("[name=key]").press("Enter");
  await page.locator("[data-testid=verdict][data-level=ok]").waitFor();
  await page
    .locator("tr", { hasText: `${show} /` })
    .locator(".number", { hasText: "3" })
    .first()
    .waitFor();
  await ends(page);
});

test("[PAGE6][F11] while a killed gateway is away the page offers nothing to buy, then it is back in step", async () => {
  const show = await shop.show(3);
  await shop.drop(show, { allotment: 3 });
  const page = await open(`/watch/${show}`);
  await until(async () => (await offerOf(page)) === "buy");
  process.kill(server.pidOf("gateway-0"), "SIGKILL");
  await until(async () => (await offerOf(page)) === "offline");
  expect(await page.getByTestId("buy").isDisabled()).toBe(true);
  await until(async () => (await offerOf(page)) === "buy", 10_000);
  await ends(page);
});

test("[PAGE7] no page threw, and none met the content policy", () => {
  expect(faults).toEqual([]);
});
