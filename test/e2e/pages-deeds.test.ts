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
const ends = (...pages: readonly Page[]): Promise<unknown> =>
  Promise.all(pages.map((page) => page.context().close()));

test("[PAGE9][I8] a claimed coupon is used by itself and broken down; the last claim goes to one, the other is told", async () => {
  const show = await shop.show(5);
  await shop.drop(show, { allotment: 5, holdMs: 60_000 });
  const [a, b] = await Promise.all([open(`/watch/${show}`), open(`/watch/${show}`)]);
  await Promise.all([a, b].map((page) => page.getByTestId("buy").waitFor()));
  const coupon = { title: "Welcome gift", offCents: 1000, budgetCents: 1000, minSpendCents: 4000 };
  await shop.call("POST", `/v1/shows/${show}/coupons`, coupon);
  await Promise.all([a, b].map((page) => page.getByTestId("coupon-claim").waitFor()));
  await a.getByTestId("coupon-claim").click();
  await a.locator("[data-claim=claimed]").waitFor();
  await b.locator("[data-claim=gone]").waitFor();
  await a.reload();
  await a.locator("[data-claim=claimed]").waitFor();
  await a.getByTestId("buy").click();
  await a.getByTestId("pay").waitFor();
  expect(await textOf(a, "discount")).toBe("−¥10");
  expect(await textOf(a, "pay")).toBe("Pay ¥39");
  await a.getByTestId("pay").click();
  await until(async () => (await textOf(a, "order-state")) === "Sold to you", 10_000);
  await a.locator("[data-testid=coupon]").waitFor({ state: "detached" });
  await ends(a, b);
});

test("[PAGE10][I3] a coupon that does not apply after all: the same attempt, once more, at full price, and said", async () => {
  const show = await shop.show(5);
  const dropId = await shop.drop(show, { allotment: 5, holdMs: 60_000 });
  const page = await open(`/watch/${show}`);
  await page.getByTestId("buy").waitFor();
  await page.evaluate(
    ([name = "", drop]) => {
      const { viewerId } = JSON.parse(localStorage.getItem(`dropcast.ticket.${name}`) ?? "{}");
      const attempt = { what: "hold", key: "with-a-coupon", quantity: 1, coupons: ["not-mine"] };
      sessionStorage.setItem(`dropcast.hold.${name}.${viewerId}.${drop}`, JSON.stringify(attempt));
    },
    [show, dropId],
  );
  await page.reload();
  await page.getByText(/held at full price/).waitFor();
  expect(await textOf(page, "pay")).toBe("Pay ¥49");
  expect(await textOf(page, "stock")).toContain("4 of 5");
  await ends(page);
});

test("[PAGE11] the host restocks, refunds, pins a comment, slows the room and bans words; annulling takes a reason and two taps", async () => {
  const show = await shop.show(20);
  await shop.drop(show, { allotment: 1, holdMs: 60_000 });
  const host = await open(`/host/${show}#key=${server.adminKey}`, desk);
  const viewer = await open(`/watch/${show}`);
  await viewer.getByTestId("buy").click();
  await viewer.getByTestId("pay").click();
  await until(async () => (await textOf(viewer, "order-state")) === "Sold to you", 10_000);
  await viewer.getByText("Back to the show").click();

  await host.getByTestId("restock-open").click();
  await host.locator("[name=units]").fill("99");
  await host.getByTestId("restock").click();
  await host.locator(".drop-change .field-refusal").waitFor();
  await host.locator("[name=units]").fill("4");
  await host.getByTestId("restock").click();
  await until(async () => (await textOf(viewer, "stock")) === "4 of 5 left");

  await viewer.getByTestId("comment-input").fill("how big is it?");
  await viewer.getByTestId("comment-send").click();
  await host.locator(".talk-row").first().press("p");
  await viewer.getByTestId("pinned-comment").getByText("how big is it?").waitFor();
  await host.getByTestId("slow-mode").selectOption("3");
  await viewer.getByPlaceholder(/One per 3 s/).waitFor();
  await host.getByTestId("rules-open").click();
  await host.locator("[name=blockedWords]").fill("scam");
  await host.getByTestId("rules-save").click();
  await host.getByText(/Saved/).waitFor();
  const rules = await shop.call("GET", `/v1/shows/${show}/moderation`);
  expect(rules).toMatchObject({ slowModeMs: 3000, blockedWords: ["scam"] });

  await host.locator(".refund").click();
  await host.locator(".refund").click();
  await host.locator("[data-state=refunded]").waitFor();
  await host.getByTestId("void-open").click();
  const annul = host.locator(".drop-change .stop");
  expect(await annul.isDisabled()).toBe(true);
  await host.locator("[name=reason]").fill("the price was wrong");
  await annul.click();
  await annul.click();
  await viewer.getByText("This sale was annulled").waitFor();
  await ends(host, viewer);
});

test("[PAGE12] none of them threw, and none met the content policy", () => {
  expect(faults).toEqual([]);
});
