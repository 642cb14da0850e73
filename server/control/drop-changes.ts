/** What a host may do to a drop under way: give it more units, annul it, and show how its draw came out. */
import type { Redis } from "ioredis";
import { z } from "zod";
import { showKeys } from "../redis/keys.ts";
import { createReturns } from "../payments/returns.ts";
import { entrantOf } from "../shop/draw.ts";
import type { App, Desk } from "./desk.ts";
import { DropView } from "./drop-view.ts";
import { Refused } from "./faults.ts";
import { readDrop } from "./reading.ts";
import { ADMIN, DROP_ID, REFUSALS, ShowParams, UNITS } from "./schemas.ts";

const DropParams = ShowParams.extend({ dropId: DROP_ID });
const HEX_64 = z.string().regex(/^[0-9a-f]{64}$/);

const Draw = z.object({
  seedHash: HEX_64.describe("SHA-256 of the seed, published with the drop"),
  seed: HEX_64,
  entrants: z
    .array(HEX_64)
    .describe(
      "SHA-256 of `viewerId|key` of those who are or were in line, in drawn order: by SHA-256(seed + entrant)",
    ),
});

export function dropChangeRoutes(app: App, { redis, inventory, access, showList }: Desk): void {
  const onRequest = access.only("host");
  const returns = createReturns(redis);
  const read = async (show: string, dropId: string): Promise<DropView> => {
    const drop = await readDrop(redis, show, dropId);
    if (drop === undefined) throw new Refused("noDrop", { dropId });
    return drop;
  };
  app.post(
    "/drops/:dropId/restock",
    {
      onRequest,
      schema: {
        tags: ["drops"],
        summary: "Give the drop more of its product's units: those in line first, then a new epoch",
        security: ADMIN,
        params: DropParams,
        body: z.strictObject({ units: UNITS.min(1) }),
        response: { 200: DropView, ...REFUSALS },
      },
    },
    async ({ params: { show, dropId }, body }) => {
      const [answer, units] = await inventory.restock(show, dropId, body.units);
      if (answer === "unknown") throw new Refused("noDrop", { dropId });
      if (answer === "closed") throw new Refused("dropOver", { dropId });
      if (answer === "shortStock")
        throw new Refused("shortStock", {
          units,
          field: "units",
          reason: `product has ${units} units`,
        });
      return read(show, dropId);
    },
  );
  app.post(
    "/drops/:dropId/void",
    {
      onRequest,
      schema: {
        tags: ["drops"],
        summary:
          "Annul the drop: unpaid holds and units left go back at once, what is sold is refunded",
        security: ADMIN,
        params: DropParams,
        body: z.strictObject({ reason: z.string().trim().min(1).max(200) }),
        response: { 200: DropView, ...REFUSALS },
      },
    },
    async ({ params: { show, dropId }, body: { reason } }) => {
      const [answer] = await inventory.void(show, dropId, reason);
      if (answer === "unknown") throw new Refused("noDrop", { dropId });
      // After a crash in here, call again: both steps are idempotent.
      for (const orderId of await soldOf(redis, show, dropId))
        await returns.takeBack(show, orderId, reason);
      showList.wake(show);
      return read(show, dropId);
    },
  );
  app.get(
    "/drops/:dropId/draw",
    {
      schema: {
        tags: ["drops"],
        summary: "The draw, for anybody to recompute",
        params: DropParams,
        response: { 200: Draw, ...REFUSALS },
      },
    },
    async ({ params: { show, dropId } }) => {
      const keys = showKeys(show);
      const [drop, seed, fields] = await Promise.all([
        redis.hget(keys.drops, dropId),
        redis.hget(keys.seeds, dropId),
        redis.lrange(`${keys.drawn}:${dropId}`, 0, -1),
      ]);
      if (drop === null) throw new Refused("noDrop", { dropId });
      const { drawn, seedHash } = JSON.parse(drop) as { drawn?: boolean; seedHash: string };
      if (seed === null || drawn !== true) throw new Refused("noDraw", { dropId });
      return { seedHash, seed, entrants: fields.map(entrantOf) };
    },
  );
}

/** Orders of one drop, refunded ones too: to take them back again changes nothing. */
async function soldOf(redis: Redis, show: string, dropId: string): Promise<readonly string[]> {
  const orders = await redis.hvals(showKeys(show).orders);
  return orders
    .map((json) => JSON.parse(json) as { readonly orderId: string; readonly dropId: string })
    .filter((order) => order.dropId === dropId)
    .map(({ orderId }) => orderId);
}
