/** A whole server, its shop back end, and a real browser that opens its pages: what tests of pages start with. */
import type { BrowserContextOptions, Page } from "playwright-core";
import { type BackEnd, backEndOf } from "./back-end.ts";
import { launchChromium } from "./chromium.ts";
import { startServer, type WholeServer } from "./server.ts";

export interface Browsing {
  readonly server: WholeServer;
  readonly shop: BackEnd;
  /** Uncaught errors of all pages, and what the content policy has blocked. */
  readonly faults: readonly string[];
  /** A page of its own person: nothing is shared with the others. A phone in English unless told. */
  readonly open: (path: string, more?: BrowserContextOptions) => Promise<Page>;
  /** Closes all pages. */
  leave(): Promise<void>;
  stop(): Promise<void>;
}

export async function startBrowsing(env: Readonly<Record<string, string>>): Promise<Browsing> {
  const server = await startServer({ env });
  const shop = backEndOf(server);
  const browser = await launchChromium();
  const faults: string[] = [];
  return {
    server,
    shop,
    faults,
    async open(path, more = {}) {
      const context = await browser.newContext({
        viewport: { width: 390, height: 844 },
        locale: "en-US",
        ...more,
      });
      const page = await context.newPage();
      page.on("pageerror", (error) => faults.push(String(error.stack)));
      page.on("console", (message) => {
        if (message.text().includes("Content Security Policy")) faults.push(message.text());
      });
      await page.goto(server.httpUrl + path);
      return page;
    },
    async leave() {
      await Promise.all(browser.contexts().map((context) => context.close()));
    },
    async stop() {
      shop.close();
      await browser.close();
      await server.stop();
    },
  };
}
