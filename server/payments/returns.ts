/** Taking back what was sold: money and units, each once. The money goes back through the cashier; see shop/return.lua. [F6] */
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/lua.ts";
import { BOOKS } from "../shop/inventory.ts";

export interface Returns {
  /** Idempotent. `refunding`: units are back, the money is on its way. */
  readonly takeBack: (
    show: string,
    orderId: string,
    reason: string,
  ) => Promise<"refunding" | "refunded" | "unknown">;
}

export function createReturns(redis: Redis): Returns {
  const script = loadScript(redis, {
    file: new URL("../shop/return.lua", import.meta.url),
    keys: BOOKS,
    args: ["orderId", "reason"],
    read: (reply) => String(reply) as "refunding" | "refunded" | "unknown",
  });
  return { takeBack: (show, orderId, reason) => script(showKeys(show), { orderId, reason }) };
}
