/** A real control process's parts on a throwaway Redis, in the test's own process, with a client for its API. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { expect } from "vitest";
import { deriveTokenSecret, readConfig } from "../../server/config.ts";
import type { Product } from "#wire";
import type { DropView } from "../../server/control/drop-view.ts";
import type { FaultBody } from "../../server/control/faults.ts";
import { startControl } from "../../server/control/index.ts";
import type { ShowFacts } from "../../server/control/reading.ts";
import { createRunning } from "../../server/lifecycle.ts";
import { connectRedis, whenReady } from "../../server/redis/connect.ts";
import { createTokens, type Tokens } from "../../server/tokens.ts";
import { startThrowawayRedis, type ThrowawayRedis } from "./redis.ts";

const ADMIN_KEY = "test-admin-key-0123456789";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
  /** The body as the answer to a request for a token. */
  readonly issued: Issued;
}

export interface Issued {
  readonly token: string;
  readonly viewerId: string;
  readonly role: string;
  readonly name: string;
  readonly expiresAtMs: number;
}

/** What the API's answers may hold, for tests to look into. */
export interface Body extends Omit<Partial<DropView>, "state"> {
  readonly state?: string;
  readonly error?: FaultBody["error"];
  readonly shows?: readonly ShowFacts[];
  readonly products?: readonly Product[];
  readonly drops?: readonly DropView[];
  readonly orders?: readonly Order[];
  readonly nextCursor?: number | null;
  readonly untilMs?: number;
}
export interface Order {
  readonly orderId: string;
  readonly viewerId: string;
  readonly amountCents: number;
  readonly flags: readonly string[];
}

export interface Call {
  /** JSON; a string is sent as it is. */
  readonly body?: unknown;
  /** "" sends none; default: the admin key. */
  readonly bearer?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ControlWorld {
  readonly url: string;
  readonly redis: ThrowawayRedis;
  readonly store: ReturnType<typeof connectRedis>;
  readonly tokens: Tokens;
  readonly dataDir: string;
  /** `call("POST /v1/shows", {body})` */
  call(what: string, call?: Call): Promise<Answer>;
  /** A new show with one product `tea` of 100 units at 9900. @returns its path */
  show(): Promise<string>;
  /** Stops the control process and starts it again on the same Redis. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A refusal in its one shape, both languages filled in. */
export function refused(answer: Answer, status: number, code: string): FaultBody["error"] {
  expect([answer.status, answer.body.error?.code], answer.text).toEqual([status, code]);
  const error = answer.body.error as FaultBody["error"];
  expect(error.message).toMatch(/^[^{}]{8,}$/);
  expect(error.messageZh).toMatch(/\p{Script=Han}/u);
  return error;
}

/** The show's id in its path. */
export const idOf = (path: string): string => path.split("/")[3] ?? "";

export async function startControlWorld(
  env: Readonly<Record<string, string>> = {},
): Promise<ControlWorld> {
  const redis = await startThrowawayRedis({ fsyncAlways: true });
  const store = connectRedis(redis.url, "command");
  await whenReady(store);
  const dataDir = mkdtempSync(join(tmpdir(), "dropcast-control-"));
  const tokenSecret = deriveTokenSecret(ADMIN_KEY);
  const config = {
    ...readConfig({
      PORT: "0",
      HOST: "127.0.0.1",
      DATA_DIR: dataDir,
      DEMO: "0",
      PAY_SANDBOX_DELAY_MS: "0",
      ...env,
    }),
    adminKey: ADMIN_KEY,
    tokenSecret,
    redisUrl: redis.url,
    nodeId: "test-control-0",
  };
  const start = async () => {
    const running = createRunning(5000, (part, error) => {
      throw new Error(`${part} did not stop`, { cause: error });
    });
    const { port } = await startControl({ config, log: pino({ level: "silent" }), running });
    return { running, url: `http://127.0.0.1:${port}` };
  };
  let control = await start();
  let made = 0;

  const call = async (
    what: string,
    { body, bearer = ADMIN_KEY, headers = {} }: Call = {},
  ): Promise<Answer> => {
    const [method = "GET", path = ""] = what.split(" ");
    const response = await fetch(control.url + path, {
      method,
      redirect: "manual",
      headers: {
        ...(bearer === "" ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get body() {
        return JSON.parse(text) as Body;
      },
      get issued() {
        return JSON.parse(text) as Issued;
      },
    };
  };
  return {
    redis,
    store,
    tokens: createTokens(tokenSecret),
    dataDir,
    get url() {
      return control.url;
    },
    call,
    async show() {
      const id = `show${++made}`;
      await call("POST /v1/shows", { body: { id, title: "茶席", currency: "CNY" } });
      await call(`POST /v1/shows/${id}/products`, {
        body: { sku: "tea", title: "白茶", priceCents: 9900, stock: 100 },
      });
      return `/v1/shows/${id}`;
    },
    async restart() {
      await control.running.stop();
      control = await start();
    },
    async stop() {
      await control.running.stop();
      store.disconnect();
      await redis.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
