/** What payment providers tell us, where a buyer pays, and taking back an order. */
import { z } from "zod";
import { createReturns } from "../payments/returns.ts";
import { showKeys } from "../redis/keys.ts";
import type { App, Desk } from "./desk.ts";
import { Refused } from "./faults.ts";
import { ADMIN, REFUSALS, ShowParams } from "./schemas.ts";

const MAX_EVENT_BYTES = 512 * 1024;

const ProviderParams = z.object({ provider: z.string().regex(/^[a-z]{1,20}$/) });
const OrderParams = ShowParams.extend({
  orderId: z.string().regex(/^D\d{6,12}$/, "is no order id｜不是订单编号"),
});
const HoldParams = ShowParams.extend({ holdId: z.string().min(1).max(40) });
const Return = z.strictObject({
  reason: z
    .string()
    .trim()
    .max(200)
    .default("")
    .describe("kept with the order; nothing personal, please"),
});

/** Signed by the provider; nobody else can make it change anything. */
export async function providerRoutes(app: App, { payments }: Desk): Promise<void> {
  await app.register(async (scope: App) => {
    // The signature is over the bytes as they came.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      "*",
      { parseAs: "buffer", bodyLimit: MAX_EVENT_BYTES },
      (_request, body, done) => done(null, body),
    );
    scope.post(
      "/v1/payments/webhooks/:provider",
      {
        bodyLimit: MAX_EVENT_BYTES,
        schema: {
          tags: ["payments"],
          summary: "Events of the payment provider, signed by it",
          params: ProviderParams,
          response: { 200: z.object({ received: z.literal(true) }), ...REFUSALS },
        },
      },
      async ({ params: { provider }, body, headers }) => {
        if (provider !== payments.provider || provider === "sandbox")
          throw new Refused("noProvider", { provider });
        const told = payments.readEvent(Buffer.isBuffer(body) ? body : Buffer.alloc(0), headers);
        if (told === "forged") throw new Refused("badSignature");
        if (told !== "other") await payments.intake.hear(told);
        return { received: true as const };
      },
    );
  });
}

/** Under /v1/shows/:show. */
export function paymentRoutes(app: App, { redis, access, showList }: Desk): void {
  const { takeBack } = createReturns(redis);
  app.post(
    "/orders/:orderId/refund",
    {
      onRequest: access.only("host"),
      schema: {
        tags: ["payments"],
        summary:
          "Take back an order: its units at once, by the product's restock policy; its money by the provider",
        security: ADMIN,
        params: OrderParams,
        body: Return,
        response: {
          200: z.object({ orderId: z.string(), state: z.enum(["refunding", "refunded"]) }),
          ...REFUSALS,
        },
      },
    },
    async ({ params: { show, orderId }, body: { reason } }) => {
      const state = await takeBack(show, orderId, reason);
      if (state === "unknown") throw new Refused("noOrder", { orderId });
      // The show may rest, and its cashier with it.
      showList.wake(show);
      return { orderId, state };
    },
  );
  app.get(
    "/holds/:holdId/checkout",
    {
      schema: {
        tags: ["payments"],
        summary: "The provider's page where the caller pays their hold",
        security: ADMIN,
        params: HoldParams,
        response: { 200: z.object({ url: z.string() }), ...REFUSALS },
      },
    },
    async ({ params: { show, holdId }, headers }) => {
      const caller = await access.callerOf({ headers });
      if (caller.kind !== "member" || caller.identity.show !== show)
        throw new Refused(caller.kind === "public" ? "noToken" : "notAllowed", { roles: "viewer" });
      const field = `${caller.identity.viewerId}|${holdId}`;
      const url = await redis.hget(showKeys(show).charges, `@${field}`);
      const state = (await redis.hget(showKeys(show).holds, field))?.split("|")[2];
      if (url === null || state !== "p") throw new Refused("noCheckout");
      return { url };
    },
  );
}
