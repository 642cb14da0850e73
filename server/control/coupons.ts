/** `/v1/shows/:show/coupons`: makes coupons that viewers claim in the room. Outlay never exceeds the budget. [I8] */
import { randomBytes } from "node:crypto";
import type { Coupon } from "#wire";
import { z } from "zod";
import { showKeys } from "../redis/keys.ts";
import type { App, Desk } from "./desk.ts";
import { Refused } from "./faults.ts";
import { nowOf } from "./reading.ts";
import { ADMIN, AT_MS, CENTS, DROP_ID, REFUSALS, ShowParams, SKU, TITLE } from "./schemas.ts";

const DEFAULT_LIFE_MS = 24 * 3_600_000;

const CouponRequest = z.strictObject({
  couponId: DROP_ID.optional().describe("default: made here"),
  title: TITLE,
  offCents: CENTS.min(1).describe("what one claim takes off"),
  budgetCents: CENTS.min(1).describe("the most that all claims together may take off"),
  minSpendCents: CENTS.default(0).describe("least order value before coupons"),
  sku: z
    .union([SKU, z.literal("")])
    .default("")
    .describe("only for this product; empty: any"),
  perViewerLimit: z.int().min(1).max(99).default(1),
  startsAtMs: AT_MS.default(0),
  endsAtMs: AT_MS.optional().describe("default: a day from now"),
  stacks: z.boolean().default(false).describe("may be used together with others that may"),
});
const CouponView = z.object({
  couponId: DROP_ID,
  title: z.string(),
  offCents: CENTS,
  minSpendCents: CENTS,
  sku: z.string(),
  perViewerLimit: z.int(),
  startsAtMs: AT_MS,
  endsAtMs: AT_MS,
  stacks: z.boolean(),
  left: z.int().describe("claims the budget still covers"),
  version: z.int(),
});

export function couponRoutes(app: App, { redis, inventory, access }: Desk): void {
  app.post(
    "/coupons",
    {
      onRequest: access.only("host"),
      schema: {
        tags: ["coupons"],
        summary: "Make a coupon and announce it",
        security: ADMIN,
        params: ShowParams,
        body: CouponRequest,
        response: { 201: CouponView, ...REFUSALS },
      },
    },
    async ({ params: { show }, body }, reply) => {
      const { budgetCents, couponId, endsAtMs, ...rest } = body;
      const nowMs = await nowOf(redis);
      const left = Math.floor(budgetCents / rest.offCents);
      if (left === 0) wrong("budgetCents", "covers not one claim", "预算不足一张");
      const coupon: Coupon = {
        ...rest,
        couponId: couponId ?? `c${randomBytes(6).toString("hex")}`,
        endsAtMs: endsAtMs ?? nowMs + DEFAULT_LIFE_MS,
        left,
        version: 1,
      };
      if (coupon.endsAtMs <= Math.max(nowMs, coupon.startsAtMs))
        wrong(
          "endsAtMs",
          "must be in the future and after startsAtMs",
          "须晚于当前时间与 startsAtMs",
        );
      if ((await inventory.addCoupon(show, coupon)) === "exists")
        throw new Refused("couponExists", { couponId: coupon.couponId, field: "couponId" });
      return reply.code(201).send(coupon);
    },
  );
  app.get(
    "/coupons",
    {
      schema: {
        tags: ["coupons"],
        summary: "All coupons",
        params: ShowParams,
        response: { 200: z.object({ coupons: z.array(CouponView) }), ...REFUSALS },
      },
    },
    async ({ params: { show } }) => ({
      coupons: (await redis.hvals(showKeys(show).coupons)).map(
        (json) => JSON.parse(json) as Coupon,
      ),
    }),
  );
}

function wrong(field: string, reason: string, reasonZh: string): never {
  throw new Refused("wrongBody", { field, reason, reasonZh });
}
