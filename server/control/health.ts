/** `/healthz` (this process lives) and `/readyz` (the whole can serve viewers; else 503 with what is missing). */
import { z } from "zod";
import { isOutage } from "../redis/outage.ts";
import type { App, Desk } from "./desk.ts";
import { Refused } from "./faults.ts";
import { gatewaysOf, readNodes } from "./nodes.ts";
import { REFUSALS } from "./schemas.ts";

export function healthRoutes(app: App, { redis }: Desk): void {
  app.get(
    "/healthz",
    {
      schema: {
        tags: ["operator"],
        summary: "This process lives",
        response: { 200: z.object({ ok: z.literal(true) }) },
      },
    },
    () => ({ ok: true as const }),
  );
  app.get(
    "/readyz",
    {
      schema: {
        tags: ["operator"],
        summary: "Viewers can join and buy",
        response: { 200: z.object({ ready: z.literal(true) }), ...REFUSALS },
      },
    },
    async () => {
      const missing = await missingIn();
      if (missing !== undefined) throw new Refused("notReady", { missing });
      return { ready: true as const };
    },
  );
  const missingIn = async (): Promise<string | undefined> => {
    try {
      return gatewaysOf(await readNodes(redis)).length > 0 ? undefined : "gateway";
    } catch (fault) {
      if (!isOutage(fault)) throw fault;
      return "redis";
    }
  };
}
