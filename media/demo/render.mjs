/**
 * Makes loop.ivf and loop.ogg anew: `node media/demo/render.mjs [passes]`. Developers only; what ships is its output.
 * Needs Chromium and ffmpeg. Path-traces one still in Chromium's software WebGL (about 2 s a pass), draws every frame
 * over it, encodes VP8 and Opus. The melody is computed here. Same input, same picture.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { melody } from "./melody.mjs";

const FRAMES_PER_SECOND = 25;
const SECONDS = 12;
const FRAMES = FRAMES_PER_SECOND * SECONDS;
const WIDE = 540;
const HIGH = 960;
const here = path.dirname(fileURLToPath(import.meta.url));
const passes = Number(process.argv[2] ?? 90);
const only = process.argv[3]?.split(",").map(Number);
const work = process.env.RENDER_DIR ?? "/tmp/dropcast-demo-frames";
const part = (name) => readFileSync(path.join(here, name), "utf8");
const must = (command, args) => {
  if (spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"] }).status !== 0)
    throw new Error(`${command} failed`);
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
  ],
});
try {
  mkdirSync(work, { recursive: true });
  const page = await browser.newPage({ viewport: { width: WIDE, height: HIGH } });
  page.setDefaultTimeout(120_000);
  page.on("console", (m) => console.log(m.text()));
  page.on("pageerror", (e) => console.log(String(e)));
  await page.setContent(
    `<style>*{margin:0}canvas{display:block}</style><canvas width=${WIDE} height=${HIGH}></canvas>` +
      `<script type="x" id="still">${part("still.glsl")}</script><script type="x" id="film">${part("frame.glsl")}</script>`,
  );
  await page.addScriptTag({ content: part("scene.js") });
  for (let pass = 1; pass <= passes; pass++) {
    const startedAtMs = performance.now();
    await page.evaluate(() => window.still());
    console.log(`pass ${pass} of ${passes}: ${Math.round(performance.now() - startedAtMs)} ms`);
  }
  await page.evaluate(() => window.smooth());
  for (const index of only ?? Array(FRAMES).keys()) {
    await page.evaluate(
      ([i, n, rate]) => window.frame(i, n, rate),
      [index, FRAMES, FRAMES_PER_SECOND],
    );
    await page.screenshot({ path: path.join(work, `${String(index).padStart(4, "0")}.png`) });
  }
} finally {
  await browser.close();
}

if (only === undefined) {
  const video = [
    "-y",
    "-loglevel",
    "error",
    "-framerate",
    String(FRAMES_PER_SECOND),
    "-i",
    path.join(work, "%04d.png"),
    "-c:v",
    "libvpx",
    "-pix_fmt",
    "yuv420p",
  ];
  // About 630 kbit/s. A key frame a second and no alt-ref frames: a new viewer waits a second at most, and every frame is shown.
  const rate = [
    "-crf",
    "8",
    "-b:v",
    "1500k",
    "-qmin",
    "2",
    "-qmax",
    "22",
    "-g",
    "25",
    "-keyint_min",
    "25",
    "-auto-alt-ref",
    "0",
    "-lag-in-frames",
    "0",
  ];
  must("ffmpeg", [
    ...video,
    ...rate,
    "-quality",
    "good",
    "-cpu-used",
    "0",
    "-error-resilient",
    "1",
    path.join(here, "loop.ivf"),
  ]);
  writeFileSync(path.join(work, "melody.wav"), melody(SECONDS));
  must("ffmpeg", [
    "-y",
    "-loglevel",
    "error",
    "-i",
    path.join(work, "melody.wav"),
    "-c:a",
    "libopus",
    "-b:a",
    "48k",
    "-frame_duration",
    "20",
    "-application",
    "audio",
    path.join(here, "loop.ogg"),
  ]);
}
