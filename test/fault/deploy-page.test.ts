/** A deploy in the middle of a drop, as two people with phones see it: real pages in a real browser, with video. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectDir } from "../../server/config.ts";
import { type Browsing, startBrowsing } from "../helpers/browsing.ts";
import { until } from "../helpers/rooms.ts";

let world: Browsing;
beforeAll(async () => {
  world = await startBrowsing({
    DEMO: "1",
    GATEWAYS: "2",
    MEDIA_WORKERS: "1",
    DRAIN_MS: "1000",
    PAY_SANDBOX_DELAY_MS: "100",
  });
});
afterAll(() => world.stop());

/** What a page has shown, looked at ten times a second by itself. */
interface Shown {
  /** Longest time in which the picture stood still. */
  readonly frozenMs: number;
  /** Seconds of video played. */
  readonly playedS: number;
  /** Said that it was out of step. */
  readonly away: number;
  /** Each change of what the button offers. */
  readonly offers: readonly string[];
  /** Each change of what the stock says. */
  readonly stocks: readonly string[];
}

/** Looks at the page from here on; what it saw goes with a reload. */
const observe = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const video = document.querySelector("video") as HTMLVideoElement;
    const startS = video.currentTime;
    let [atS, movedMs] = [startS, performance.now()];
    const shown = {
      frozenMs: 0,
      playedS: 0,
      away: 0,
      offers: [] as string[],
      stocks: [] as string[],
    };
    (window as unknown as { shown: Shown }).shown = shown;
    setInterval(() => {
      shown.frozenMs = Math.max(shown.frozenMs, performance.now() - movedMs);
      if (video.currentTime !== atS) [atS, movedMs] = [video.currentTime, performance.now()];
      shown.playedS = atS - startS;
      if (document.querySelector(".connection.away") !== null) shown.away++;
      const buy = document.querySelector('[data-testid="buy"]');
      const stock = document.querySelector('[data-testid="stock"]');
      for (const [list, word] of [
        [shown.offers, buy?.getAttribute("data-offer") ?? ""],
        [shown.stocks, stock?.textContent ?? ""],
      ] as const)
        if (word !== "" && list.at(-1) !== word) list.push(word);
    }, 100);
  });

const shownOn = (page: Page): Promise<Shown> =>
  page.evaluate(() => (window as unknown as { shown: Shown }).shown);

/** Units left, as the page said it; what it says of the next drop is left aside. */
const unitsIn = (stocks: readonly string[]): number[] =>
  stocks.flatMap((words) => {
    if (words.startsWith("Sold out")) return [0];
    const left = /^(\d+) of 3 left/.exec(words)?.[1];
    return left === undefined ? [] : [Number(left)];
  });

const orderOn = async (page: Page): Promise<string | null> =>
  page.getByTestId("order-state").first().getAttribute("data-state");

const decoded = (page: Page): Promise<number> =>
  page
    .getByTestId("video")
    .evaluate((video) => (video as HTMLVideoElement).getVideoPlaybackQuality().totalVideoFrames);

test("[DEPLOY3][F11] two pages with video stay through a deploy in the middle of a drop: one holds and pays, one buys, the picture goes on, nothing shown is stale", async () => {
  const { server, shop, open, faults } = world;
  const show = "demo";
  const names = ["control-0", "gateway-0", "gateway-1"];
  const before = names.map((name) => server.pidOf(name));
  const [holder, buyer] = await Promise.all([open("/watch/demo"), open("/watch/demo")]);
  const pages = [holder, buyer];
  for (const page of pages) await until(async () => (await decoded(page)) > 0, 15_000);
  const dropId = await shop.drop(show, { sku: "tea-box", allotment: 3, holdMs: 60_000 });
  for (const page of pages)
    await until(async () => (await page.getByTestId("buy").getAttribute("data-offer")) === "buy");
  await holder.getByTestId("buy").click();
  await holder.getByTestId("hold-timer").first().waitFor();
  for (const page of pages) await observe(page);
  const other = await shop.join(show, "other");

  const asked = spawnSync(process.execPath, [join(projectDir, "server/main.ts"), "deploy"], {
    env: { ...process.env, DATA_DIR: server.dataDir },
    encoding: "utf8",
  });
  expect(asked.status, asked.stdout).toBe(0);
  const startedMs = performance.now();
  await server.printed(/gateway-0 is replaced/, 30_000);
  // Between two gateways: one tap, one answer; then the last unit goes to somebody else.
  await buyer.getByTestId("buy").click();
  await until(async () => (await orderOn(buyer)) === "held", 5000);
  expect(await other.hold(dropId, { key: "last" })).toMatchObject({ result: "held" });
  await holder.getByTestId("pay").click();
  await until(async () => (await orderOn(holder)) === "sold", 15_000);
  await server.printed(/deploy: over/, 30_000);
  const deployMs = performance.now() - startedMs;
  await buyer.getByTestId("pay").click();
  await until(async () => (await orderOn(buyer)) === "sold", 15_000);

  expect(names.map((name, i) => server.pidOf(name) === before[i])).toEqual([false, false, false]);
  expect(await shop.call("GET", `/v1/shows/${show}/drops/${dropId}`)).toMatchObject({
    available: 0,
    held: 1,
    sold: 2,
  });
  // Who is on the new gateways is there: what is said now is heard.
  await other.comment("after the deploy");
  for (const page of pages)
    await page.getByTestId("comment-list").getByText("after the deploy").waitFor({ timeout: 2000 });
  const [seen, seenToo] = [await shownOn(holder), await shownOn(buyer)];
  console.info(
    `deploy ${Math.round(deployMs)} ms; picture still for ${Math.round(seen.frozenMs)} and ${Math.round(seenToo.frozenMs)} ms at most`,
  );
  for (const { frozenMs, playedS, away, offers, stocks } of [seen, seenToo]) {
    expect(away).toBe(0);
    expect(frozenMs).toBeLessThan(1500);
    expect(playedS).toBeGreaterThan((deployMs / 1000) * 0.8);
    const units = unitsIn(stocks);
    expect(units, "stock goes down and never up").toEqual(units.toSorted((a, b) => b - a));
    expect(units.at(-1)).toBe(0);
    const own = offers.slice(offers.indexOf("held"));
    expect(own, "a hold stays one until it is paid").not.toContain("buy");
    expect(offers).not.toContain("offline");
  }
  expect(faults).toEqual([]);
}, 60_000);
