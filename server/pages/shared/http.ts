/**
 * The public HTTP API from a page: JSON in, JSON out. A refusal is thrown as `ApiRefusal` with the server's own sentence
 * pair and the field it names; a server out of reach as `ServerAway`.
 */
import { inLang } from "./words.ts";

export class ServerAway extends Error {
  override readonly name = "ServerAway";
}

export class ApiRefusal extends Error {
  override readonly name = "ApiRefusal";
  readonly status: number;
  readonly code: string;
  /** Which field of the body is meant; empty: none. */
  readonly field: string;
  readonly #zh: string;
  readonly #en: string;
  readonly retryAfterMs: number;

  constructor(status: number, body: ErrorBody, retryAfterMs: number) {
    const {
      code = "unknown",
      message = `HTTP ${status}`,
      messageZh = message,
      field = "",
      reason = "",
    } = body;
    super(message);
    this.status = status;
    this.code = code;
    this.field = field.replace(/^\/?(?:body[./])?/, "");
    this.#en = reason === "" || message.includes(reason) ? message : `${message} (${reason})`;
    this.#zh = messageZh;
    this.retryAfterMs = retryAfterMs;
  }

  /** What happened and what to do, in the page's language. */
  get words(): string {
    return inLang(this.#zh, this.#en);
  }
}

interface ErrorBody {
  readonly code?: string;
  readonly message?: string;
  readonly messageZh?: string;
  readonly field?: string;
  readonly reason?: string;
}

export interface Ask {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  /** A token or the admin key. */
  readonly bearer?: string;
}

/** @throws ApiRefusal, ServerAway */
export async function ask<T>(path: string, { method = "GET", body, bearer }: Ask = {}): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (bearer !== undefined) headers["authorization"] = `Bearer ${bearer}`;
  const response = await fetch(path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new ServerAway("no answer", { cause });
  });
  const answer = await jsonOf(response);
  if (response.ok) return answer as T;
  if (response.status >= 502) throw new ServerAway(`HTTP ${response.status}`);
  const refused = (answer as { error?: ErrorBody } | undefined)?.error ?? {};
  throw new ApiRefusal(
    response.status,
    refused,
    1000 * Number(response.headers.get("retry-after") ?? 0),
  );
}

async function jsonOf(response: Response): Promise<unknown> {
  const body = await response.text();
  if (body === "" || !(response.headers.get("content-type") ?? "").includes("json"))
    return undefined;
  return JSON.parse(body) as unknown;
}

/** The last part of /watch/:show or /host/:show. */
export const showInAddress = (): string =>
  decodeURIComponent(location.pathname.split("/").findLast((part) => part !== "") ?? "");

/** Where the WebSocket of this server is. */
export async function realtimeUrl(): Promise<string> {
  const { rtPort } = await ask<{ rtPort: number }>("/v1/config");
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.hostname}:${rtPort}`;
}
