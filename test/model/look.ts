/** All there is to see of a show in Redis, in the model's words: what a view of the model is compared with. */
import type { Redis } from "ioredis";
import { showKeys } from "../../server/redis/keys.ts";
import type { View } from "./view.ts";

const parsed = <T>(json: Record<string, string>, read: (value: never) => T): Record<string, T> =>
  Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, read(JSON.parse(value) as never)]),
  );

/** What screens are shown of a drop, a hold or a coupon, and its version: a screen leaves out what is not later than what it has. */
export interface Shown {
  readonly version: number;
  readonly what: string;
}

export interface Look {
  readonly view: View;
  readonly shown: ReadonlyMap<string, Shown>;
}

/** Everything that is remembered of a show. */
export async function look(redis: Redis, show: string): Promise<Look> {
  const keys = showKeys(show);
  const [drops, holds, flags, claims, coupons, orders, tea, payments, pending] = await Promise.all([
    redis.hgetall(keys.drops),
    redis.hgetall(keys.holds),
    redis.hgetall(`${keys.holds}:flags`),
    redis.hgetall(keys.claims),
    redis.hgetall(keys.coupons),
    redis.hgetall(keys.orders),
    redis.hget(keys.products, "tea"),
    redis.xrange(keys.payments, "-", "+"),
    redis.xpending(keys.payments, "cashier", "-", "+", 1000) as Promise<[string][]>,
  ]);
  const ids = payments.map(([id]) => id);
  const open = new Set(pending.map(([id]) => id));
  const shown = new Map([
    ...Object.entries(drops).map(([id, json]) => [`drop ${id}`, shownOf(json, STOCK)] as const),
    ...Object.entries(coupons).map(([id, json]) => [`coupon ${id}`, shownOf(json, LEFT)] as const),
    ...Object.entries(holds).map(
      ([field, packed]) => [`hold ${field}`, shownOfHold(packed)] as const,
    ),
  ]);
  const view = {
    stock: (JSON.parse(tea ?? "{}") as { stock: number }).stock,
    flags,
    drops: parsed(drops, (d: Record<string, number | string | boolean>) =>
      [
        d["state"],
        d["available"],
        d["held"],
        d["sold"],
        d["restocked"],
        d["writtenOff"],
        d["restockEpoch"],
        d["waitlisted"],
        d["waitServed"],
        d["drawn"],
      ].join(" "),
    ),
    holds: Object.fromEntries(
      Object.entries(holds).map(([field, packed]) => {
        const [
          dropId,
          quantity,
          state = "",
          deadlineMs,
          cents,
          order,
          ,
          ticket = 0,
          off = 0,
          used = "",
        ] = packed.split("|");
        return [
          field,
          [dropId, quantity, STATES[state], deadlineMs, cents, order, ticket, off, used].join(" "),
        ];
      }),
    ),
    claims: Object.fromEntries(
      Object.entries(claims)
        .filter(([, list]) => list !== "")
        .map(([name, list]) => [
          name,
          ["u", "h", "s"].map((state) => list.split(`=${state}`).length - 1).join(" "),
        ]),
    ),
    claimsLeft: parsed(coupons, ({ left }: { left: number }) => left),
    orders: parsed(orders, (o: Record<string, string | number>) =>
      [o["viewerId"], o["holdId"], o["quantity"], o["amountCents"], o["state"]].join(" "),
    ),
    payments: payments.map(([id, [, what, , field, , cents, name, of]]) =>
      [
        what,
        field,
        cents,
        name === "of" ? ids.indexOf(of ?? "") : -1,
        open.has(id) ? "open" : "done",
      ].join(" "),
    ),
  };
  return { view, shown };
}

const STOCK = ["available", "held", "sold", "restockEpoch", "waitlisted", "waitServed"];
const LEFT = ["left"];
function shownOf(json: string, names: readonly string[]): Shown {
  const kept = JSON.parse(json) as Readonly<Record<string, number>>;
  return {
    version: kept["version"] ?? 0,
    what: names.map((name) => `${name} ${kept[name] ?? 0}`).join(" "),
  };
}
function shownOfHold(packed: string): Shown {
  const fields = packed.split("|");
  const [version] = fields.splice(6, 1);
  return { version: Number(version), what: fields.join("|") };
}

const STATES: Readonly<Record<string, string>> = {
  w: "waiting",
  h: "held",
  p: "paying",
  s: "sold",
  x: "expired",
  c: "cancelled",
  l: "paid_late",
  r: "refunded",
};
