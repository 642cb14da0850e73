/** A whole server as a shop back end uses it: over HTTP with the admin key, and viewers through the public SDK. */
import { connect, type ConnectOptions, type Live } from "#sdk";
import type { WholeServer } from "./server.ts";

export interface BackEnd {
  /** Any call; throws unless the answer is 2xx. */
  call<T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<T>;
  /** A live show with one product `tea`. @returns its id */
  show(stock: number): Promise<string>;
  drop(show: string, drop: Readonly<Record<string, number | string>>): Promise<string>;
  token(show: string, viewerId: string, role?: string): Promise<string>;
  join(show: string, viewerId: string, more?: Partial<ConnectOptions>): Promise<Live>;
  /** Ends every viewer that joined. */
  close(): void;
}

export function backEndOf(server: WholeServer): BackEnd {
  const lives = new Set<Live>();
  let made = 0;
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(server.httpUrl + path, {
      method,
      headers: {
        authorization: `Bearer ${server.adminKey}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  const token = async (show: string, viewerId: string, role = "viewer"): Promise<string> => {
    const body = { role, viewerId, name: viewerId };
    return (await call<{ token: string }>("POST", `/v1/shows/${show}/tokens`, body)).token;
  };
  return {
    call,
    token,
    async show(stock) {
      const id = `e2e${++made}`;
      await call("POST", "/v1/shows", { id, title: "晨茶 Morning tea", currency: "CNY" });
      const product = { sku: "tea", title: "白茶 White tea", priceCents: 9900, stock };
      await call("POST", `/v1/shows/${id}/products`, product);
      await call("POST", `/v1/shows/${id}/start`);
      await call("POST", `/v1/shows/${id}/pins`, { sku: "tea" });
      return id;
    },
    async drop(show, drop) {
      const body = { sku: "tea", priceCents: 4900, ...drop };
      return (await call<{ dropId: string }>("POST", `/v1/shows/${show}/drops`, body)).dropId;
    },
    async join(show, viewerId, more = {}) {
      const options = { url: server.wsUrl, show, token: await token(show, viewerId), ...more };
      const live = await connect(options);
      lives.add(live);
      return live;
    },
    close() {
      for (const live of lives) live.close();
    },
  };
}
