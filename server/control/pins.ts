/** `/v1/shows/:show/pins`: the products shown as "now", at most three, the oldest leaving first. */
import { z } from "zod";
import { showKeys } from "../redis/keys.ts";
import type { App, Desk } from "./desk.ts";
import { Refused } from "./faults.ts";
import { ADMIN, REFUSALS, ShowParams, SKU } from "./schemas.ts";

const Pins = z.object({ pinned: z.array(SKU).describe("newest first") });

export function pinRoutes(app: App, { redis, shows, access }: Desk): void {
  const onRequest = access.only("host");
  const pinned = async (show: string) => ({
    pinned: await redis.lrange(showKeys(show).pinned, 0, -1),
  });
  app.get(
    "/pins",
    {
      schema: {
        tags: ["pins"],
        summary: "Now showing",
        params: ShowParams,
        response: { 200: Pins, ...REFUSALS },
      },
    },
    ({ params: { show } }) => pinned(show),
  );
  app.post(
    "/pins",
    {
      onRequest,
      schema: {
        tags: ["pins"],
        summary: "Pin a product",
        security: ADMIN,
        params: ShowParams,
        body: z.strictObject({ sku: SKU }),
        response: { 200: Pins, ...REFUSALS },
      },
    },
    async ({ params: { show }, body: { sku } }) => {
      if ((await shows.pin(show, sku)) === "unknown")
        throw new Refused("noProduct", { sku, field: "sku" });
      return pinned(show);
    },
  );
  app.delete(
    "/pins/:sku",
    {
      onRequest,
      schema: {
        tags: ["pins"],
        summary: "Unpin a product",
        security: ADMIN,
        params: ShowParams.extend({ sku: SKU }),
        response: { 200: Pins, ...REFUSALS },
      },
    },
    async ({ params: { show, sku } }) => {
      await shows.unpin(show, sku);
      return pinned(show);
    },
  );
}
