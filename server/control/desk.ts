/** What every resource of the HTTP API is given to work with, and the type of the app it adds itself to. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Tail } from "../ledger/tail.ts";
import type { Payments } from "../payments/open.ts";
import type { RoleConfig } from "../role.ts";
import type { Shows } from "../room/shows.ts";
import type { Cashier } from "../shop/cashier.ts";
import type { Inventory } from "../shop/inventory.ts";
import type { Sweeper } from "../shop/sweeper.ts";
import type { Tokens } from "../tokens.ts";
import type { Access } from "./access.ts";
import type { ShowList } from "./show-list.ts";

export interface Desk {
  readonly config: RoleConfig;
  readonly log: Logger;
  /** Fails fast when Redis is away: the caller gets 503. */
  readonly redis: Redis;
  readonly shows: Shows;
  readonly inventory: Inventory;
  readonly tokens: Tokens;
  readonly access: Access;
  readonly showList: ShowList;
  readonly sweeper: Sweeper;
  readonly cashier: Cashier;
  readonly payments: Payments;
  readonly tail: Pick<Tail, "stuck" | "waiting">;
}

export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
