/** A real Chromium with pages that watch or publish, each as one session of a test gateway. */
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import type { SignalName } from "#wire";
import { launchChromium } from "../helpers/chromium.ts";
import type { TestSession } from "./world.ts";

export interface BrowserWorld {
  /** A page whose SDK speaks as `session`. */
  open(session: TestSession): Promise<Page>;
  stop(): Promise<void>;
}

export async function startBrowser(): Promise<BrowserWorld> {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL("harness.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    logLevel: "silent",
  });
  const script = bundle.outputFiles[0]?.text ?? "";
  const pages = createServer((request, response) => {
    const isScript = request.url === "/harness.js";
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html; charset=utf-8");
    response.end(
      isScript
        ? script
        : `<!doctype html><video width="270" height="480"></video><script src="/harness.js"></script>`,
    );
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => pages.once("listening", resolve));
  const address = pages.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;
  const browser: Browser = await launchChromium();
  return {
    async open(session) {
      const page = await browser.newPage();
      await page.exposeFunction("sendSignal", async (name: SignalName, body: string) => {
        try {
          return { answer: await session.signal(name, body) };
        } catch (error) {
          return { refusal: String(error) };
        }
      });
      await page.goto(url);
      session.onNotify((body) => {
        // A page that is closing has nobody left to tell.
        page.evaluate((told) => window.harness.notify(told), body).catch(() => undefined);
      });
      return page;
    },
    async stop() {
      await browser.close();
      pages.closeAllConnections();
      await new Promise((resolve) => pages.close(resolve));
    },
  };
}
