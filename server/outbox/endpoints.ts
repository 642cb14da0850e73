/** The webhooks that the shop has registered: where events go, which, and the secret that signs them. For all shows. */
import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { WEBHOOKS_KEY } from "../redis/keys.ts";
import type { EventType } from "./events.ts";

export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  /** Empty: all. */
  readonly types: readonly EventType[];
  /** By Redis TIME: events derived from then on are delivered. */
  readonly createdAtMs: number;
}

export interface Endpoints {
  list(): Promise<readonly Endpoint[]>;
  find(id: string): Promise<Endpoint | undefined>;
  /** @param secret made here when not given */
  add(url: string, types: readonly EventType[], secret?: string): Promise<Endpoint>;
  /** @returns false when there was none */
  remove(id: string): Promise<boolean>;
}

export function createEndpoints(redis: Redis): Endpoints {
  return {
    async list() {
      const stored = await redis.hvals(WEBHOOKS_KEY);
      return stored
        .map((json) => JSON.parse(json) as Endpoint)
        .sort((a, b) => a.createdAtMs - b.createdAtMs);
    },
    async find(id) {
      const json = await redis.hget(WEBHOOKS_KEY, id);
      return json === null ? undefined : (JSON.parse(json) as Endpoint);
    },
    async add(url, types, secret = `whsec_${randomBytes(24).toString("base64url")}`) {
      const [seconds, micros] = await redis.time();
      const endpoint: Endpoint = {
        id: `wh_${randomBytes(9).toString("base64url")}`,
        url,
        secret,
        types,
        createdAtMs: Number(seconds) * 1000 + Math.floor(Number(micros) / 1000),
      };
      await redis.hset(WEBHOOKS_KEY, endpoint.id, JSON.stringify(endpoint));
      return endpoint;
    },
    remove: async (id) => (await redis.hdel(WEBHOOKS_KEY, id)) === 1,
  };
}
