/** Viewers with two tabs each, over two nodes, who write down all that they see: the histories for judge.ts. */
import type { Live } from "#sdk";
import type { DownFrame } from "#wire";
import type { Gateway, World } from "../helpers/rooms.ts";
import { tapped } from "../scenario/checks.ts";
import type { Saw } from "./orders.ts";

export interface Tab {
  readonly viewerId: string;
  readonly live: Live;
  /** Taps; a node that goes away meanwhile is survived by the SDK. */
  hold(dropId: string, key: string, quantity: number, coupons: readonly string[]): Promise<void>;
}

export interface Clients {
  readonly tabs: readonly Tab[];
  readonly saw: Saw[];
}

/** The same key may be held all the same. */
const UNDECIDED: readonly string[] = ["pending", "tooFast", "pass"];

/** @param nodes each viewer's first tab starts on the first, the second on the second */
export async function openTabs(
  world: World,
  show: string,
  viewers: readonly string[],
  nodes: readonly [Gateway, Gateway],
): Promise<Clients> {
  const saw: Saw[] = [];
  let calls = 0;
  const open = async (viewerId: string, first: 0 | 1): Promise<Tab> => {
    const tab = `${viewerId} on tab ${first + 1}`;
    let connections = 0;
    const gateway = nodes[first];
    const live = await world.join(gateway, show, viewerId, {
      url: [gateway.url, nodes[first === 0 ? 1 : 0].url],
      transport: "websocket",
      WebSocket: new Proxy(WebSocket, {
        construct(_, [url, protocols]: [string, string]) {
          const client = `${tab}, connection ${++connections}`;
          const heard = (frame: DownFrame): void =>
            void saw.push({ client, tab, viewerId, what: "frame", frame });
          return new (tapped(heard))(url, protocols);
        },
      }),
    });
    return {
      viewerId,
      live,
      async hold(dropId, key, quantity, coupons) {
        const one = { client: tab, tab, viewerId, key, call: ++calls };
        saw.push({ ...one, what: "asked" });
        const answer = await live.hold(dropId, { key, quantity, coupons });
        const { result } = answer;
        if (result === "held") {
          const { deadlineMs, quantity: units } = answer;
          saw.push({ ...one, what: "held", deadlineMs, quantity: units });
        } else if (!UNDECIDED.includes(result)) saw.push({ ...one, what: "refused", word: result });
      },
    };
  };
  const tabs = await Promise.all(viewers.flatMap((name) => [open(name, 0), open(name, 1)]));
  return { tabs, saw };
}
