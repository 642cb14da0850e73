/** A real Chromium with pages that watch or publish, each as one session of a test gateway. */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import type { SignalName } from "#wire";
import type { TestSession } from "./world.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
];

/** The system's own, by whichever name it goes. */
const chromiumPath = (): string => {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`none of ${names.join(", ")} is on PATH`);
  return found;
};

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
  const browser: Browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: FLAGS,
  });
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
