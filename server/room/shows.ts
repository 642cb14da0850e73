/**
 * What the host does to a show: make it, start and end it, its bag, its pins, its moderation. Each is one atomic step
 * that also tells the room through the show log. Except for `create`, call them for shows that exist.
 */
import { randomBytes } from "node:crypto";
import type { Product } from "#wire";
import type { Redis } from "ioredis";
import { showKeys, SHOWS_KEY } from "../redis/keys.ts";
import { loadScript } from "../redis/lua.ts";
import { createModeration, type Moderation } from "./moderation/steps.ts";

export interface Shows extends Moderation {
  create(
    show: string,
    facts: { readonly title: string; readonly currency: string },
  ): Promise<"created" | "exists">;
  /** rehearsing: a drop of class `memory` is not over, so the show cannot go live */
  turn(show: string, state: "live" | "ended"): Promise<"live" | "ended" | "wrong" | "rehearsing">;
  addProduct(show: string, product: Product): Promise<"added" | "exists">;
  /** Adds or replaces; `stock` are the units that no drop has. */
  putProduct(show: string, product: Product): Promise<"added" | "changed" | "same">;
  pin(show: string, sku: string): Promise<"pinned" | "unknown">;
  unpin(show: string, sku: string): Promise<void>;
  /** Somebody is given a token for the viewer id. @returns whether nobody had it, and when (Redis TIME) its first token was made */
  claim(
    show: string,
    viewerId: string,
  ): Promise<{ readonly isNew: boolean; readonly sinceMs: number }>;
}

const file = (name: string): URL => new URL(`${name}.lua`, import.meta.url);

export function createShows(redis: Redis): Shows {
  const create = loadScript(redis, {
    file: file("create"),
    keys: ["meta", "payments"],
    args: ["title", "currency", "epoch"],
    read: (reply) => String(reply) as "created" | "exists",
  });
  const turn = loadScript(redis, {
    file: file("turn"),
    keys: ["meta", "log", "drops"],
    args: ["state"],
    read: (reply) => String(reply) as "live" | "ended" | "wrong" | "rehearsing",
  });
  const product = loadScript(redis, {
    file: file("product"),
    keys: ["meta", "log", "products"],
    args: ["sku", "json", "mode"],
    read: (reply) => String(reply) as "added" | "changed" | "same" | "exists",
  });
  const pinning = { keys: ["meta", "log", "products", "pinned"], args: ["sku"] } as const;
  const pin = loadScript(redis, {
    ...pinning,
    file: file("pin"),
    read: (reply) => String(reply) as "pinned" | "unknown",
  });
  const unpin = loadScript(redis, {
    file: file("unpin"),
    keys: ["meta", "log", "pinned"],
    args: ["sku"],
    read: () => undefined,
  });
  const claim = loadScript(redis, {
    file: file("claim"),
    keys: ["claimed", "firstClaims"],
    args: ["viewerId"],
    read: (reply) => {
      const [isNew, sinceMs] = reply as [number, number];
      return { isNew: isNew === 1, sinceMs };
    },
  });
  const put = (show: string, p: Product, mode: "add" | "put") =>
    product(showKeys(show), { sku: p.sku, json: JSON.stringify(p), mode });

  return {
    async create(show, { title, currency }) {
      const epoch = randomBytes(9).toString("base64url");
      // Listed first: a crash in between leaves an id without a show, which readers skip, never a show that nobody sweeps.
      await redis.sadd(SHOWS_KEY, show);
      const answer = await create(showKeys(show), { title, currency, epoch });
      // ioredis may have sent it twice; then it finds its own show.
      const isOurs =
        answer === "exists" && (await redis.hget(showKeys(show).meta, "epoch")) === epoch;
      return isOurs ? "created" : answer;
    },
    turn: (show, state) => turn(showKeys(show), { state }),
    addProduct: async (show, p) => ((await put(show, p, "add")) === "exists" ? "exists" : "added"),
    putProduct: async (show, p) => (await put(show, p, "put")) as "added" | "changed" | "same",
    pin: (show, sku) => pin(showKeys(show), { sku }),
    unpin: (show, sku) => unpin(showKeys(show), { sku }),
    claim: (show, viewerId) => claim(showKeys(show), { viewerId }),
    ...createModeration(redis),
  };
}
