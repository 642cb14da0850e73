/**
 * The pages for viewers, hosts and operators, as Vite built them into DATA_DIR/pages, each file also compressed. Nothing is put into
 * them: they ask `/v1/config` for the rest. Hashed assets may be kept for ever, pages are asked for anew. Scripts come from here only.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { App, Desk } from "./desk.ts";
import { Refused } from "./faults.ts";
import { hasShow } from "./reading.ts";

/** The room is on another port, so any WebSocket, or events where those are blocked; product pictures may come from the shop's own site. */
const PAGE_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob: http: https:",
  "media-src 'self' blob: mediastream:",
  "connect-src 'self' ws: wss: http: https:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join("; ");

const DEMO_SHOW = "demo";
const ONE_YEAR_MS = 365 * 24 * 3_600_000;
const ONE_HOUR_MS = 3_600_000;
const hidden = { schema: { hide: true } };

export async function pageRoutes(
  app: App,
  { config, redis }: Desk,
  version: string,
): Promise<void> {
  const root = join(config.dataDir, "pages");
  await app.register(fastifyStatic, {
    root,
    prefix: "/",
    index: false,
    schemaHide: true,
    suppressWarning: true,
    cacheControl: false,
    preCompressed: true,
    setHeaders(reply, sent) {
      const path = sent.replace(/\.(?:br|gz)$/, "");
      const isHashed = path.startsWith(join(root, "assets"));
      const maxAgeS = (isHashed ? ONE_YEAR_MS : ONE_HOUR_MS) / 1000;
      const isPage = path.endsWith(".html");
      reply.header(
        "cache-control",
        isPage ? "no-cache" : `public, max-age=${maxAgeS}${isHashed ? ", immutable" : ""}`,
      );
      reply.header("content-security-policy", PAGE_POLICY);
    },
  });
  const page = async (file: string, reply: FastifyReply): Promise<FastifyReply> => {
    if (!existsSync(join(root, file))) throw new Refused("noPages");
    return reply.sendFile(file);
  };
  app.get("/watch/:show", hidden, (_request, reply) => page("watch.html", reply));
  app.get("/host/:show", hidden, (_request, reply) => page("host.html", reply));
  app.get("/ops", hidden, (_request, reply) => page("ops.html", reply));
  app.get("/", hidden, async (_request, reply) =>
    reply.redirect((await hasShow(redis, DEMO_SHOW)) ? `/watch/${DEMO_SHOW}` : "/ops"),
  );
  app.get(
    "/v1/config",
    {
      schema: {
        tags: ["operator"],
        summary: "What a page needs to know about this server",
        response: { 200: z.object({ rtPort: z.int(), version: z.string() }) },
      },
    },
    () => ({ rtPort: config.rtPort, version }),
  );
}

/** On every answer. */
export const SAFE_HEADERS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "permissions-policy":
    "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), fullscreen=(self)",
} as const;
