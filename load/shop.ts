/** The calls to the control API that a load run needs: a show with a product and a drop, tokens for its viewers, and the books. */
import { randomBytes } from "node:crypto";
import type { TargetServer } from "./server.ts";

/** What `GET …/drops/:dropId` says. */
export interface DropBooks {
  readonly dropId: string;
  readonly state: string;
  readonly startsAtMs: number;
  readonly allotted: number;
  readonly restocked: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly writtenOff: number;
}

export interface NewDrop {
  readonly units: number;
  readonly startsAtMs: number;
  readonly holdMs: number;
}

export interface Shop {
  readonly show: string;
  newDrop(drop: NewDrop): Promise<DropBooks>;
  drop(dropId: string): Promise<DropBooks>;
  readonly viewerToken: (index: number) => Promise<string>;
  /** The server's clock, to a second. */
  serverNowMs(): Promise<number>;
  end(): Promise<void>;
}

const SKU = "teapot";
const PRICE_CENTS = 9900;
const WINDOW_MS = 10 * 60_000;

/** @param prefix begins the show's id @param stock units of its one product */
export async function openShop(
  server: Pick<TargetServer, "baseUrl" | "adminKey">,
  prefix: string,
  stock: number,
): Promise<Shop> {
  const call = async <T>(method: "GET" | "POST", path: string, body?: object): Promise<T> => {
    const answer = await fetch(`${server.baseUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${server.adminKey}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
  const show = `${prefix}-${randomBytes(4).toString("hex")}`;
  const path = `/v1/shows/${show}`;
  await call("POST", "/v1/shows", { id: show, title: "演练 Rehearsal", currency: "CNY" });
  await call("POST", `${path}/products`, {
    sku: SKU,
    title: "紫砂壶 Teapot",
    priceCents: PRICE_CENTS * 2,
    stock,
  });
  await call("POST", `${path}/start`);
  return {
    show,
    newDrop: ({ units, startsAtMs, holdMs }) =>
      call("POST", `${path}/drops`, {
        sku: SKU,
        priceCents: PRICE_CENTS,
        allotment: units,
        perBuyerLimit: 1,
        holdMs,
        startsAtMs,
        endsAtMs: startsAtMs + WINDOW_MS,
      }),
    drop: (dropId) => call("GET", `${path}/drops/${dropId}`),
    viewerToken: async (index) => {
      const wanted = { role: "viewer", viewerId: `load-${index}`, name: `观众 Viewer ${index}` };
      return (await call<{ token: string }>("POST", `${path}/tokens`, wanted)).token;
    },
    async serverNowMs() {
      const { headers } = await fetch(`${server.baseUrl}/healthz`);
      return Date.parse(headers.get("date") ?? "");
    },
    end: async () => void (await call("POST", `${path}/end`)),
  };
}

/** I1 as one number: 0 when the books balance. */
export const imbalanceOf = (d: DropBooks): number =>
  d.allotted + d.restocked - d.available - d.held - d.sold - d.writtenOff;
