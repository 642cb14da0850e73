/** One simulated viewer: the real SDK, taps and questions drawn by chance, and a record of what it asked and saw. */
import { connect, type Live } from "#sdk";
import { decodeDown, decodeDownText } from "#wire";
import type { Chance } from "../helpers/chance.ts";
import { type Seen, watch } from "../helpers/seen.ts";
import type { Network } from "./network.ts";
import { DROP, SHOW } from "./store.ts";
import type { Owner, Virtual } from "./virtual.ts";

export interface Asked {
  readonly what: "hold" | "cancel" | "comment";
  /** The hold's key, or the comment's text. */
  readonly id: string;
  answer: string;
}

export interface SimClient {
  readonly viewerId: string;
  readonly owner: Owner;
  readonly live: Live | undefined;
  readonly seen: Seen | undefined;
  readonly tapped: { likes: number; shares: number };
  readonly asked: readonly Asked[];
  /** What cannot be seen in its events: receipts that do not balance. */
  readonly faults: readonly string[];
  /** Does something, by chance. */
  act(): void;
  tap(): void;
  close(): void;
}

export function startClient(
  index: number,
  places: readonly string[],
  { virtual, chance, network }: { virtual: Virtual; chance: Chance; network: Network },
): SimClient {
  const viewerId = `v${index}`;
  // A device's clock runs up to 1 % wrong, and says whatever it says.
  const owner = virtual.owner(viewerId, 0.99 + chance() * 0.02, chance() * 1e6);
  const asked: Asked[] = [];
  const faults: string[] = [];
  const tapped = { likes: 0, shares: 0 };
  let live: Live | undefined;
  let seen: Seen | undefined;
  let isOver = false;

  const heard = (data: unknown): void => {
    const frame =
      typeof data === "string"
        ? decodeDownText(data)
        : decodeDown(new Uint8Array(data as ArrayBuffer));
    if (frame.kind !== "comments") return;
    const { accepted, skipped, comments } = frame;
    const shown = comments.reduce((sum, { count }) => sum + count, 0);
    if (accepted > 0 && accepted !== shown + skipped)
      faults.push(`a receipt of ${accepted} for ${shown} shown and ${skipped} skipped`);
  };
  const enter = async (): Promise<void> => {
    for (;;) {
      try {
        live = await connect({
          url: [...places.slice(index % places.length), ...places].map((place) => `ws://${place}`),
          show: SHOW,
          token: viewerId,
          protocol: index % 3 === 0 ? "json" : "msgpack",
          transport: "websocket",
          WebSocket: network.socketFor(owner, heard),
        });
        seen = watch(live);
        return;
      } catch (fault) {
        // Not let in within 15 s: tries again, as a person would.
        if ((fault as Error).name !== "SdkFault") throw fault;
        if (isOver) return;
      }
    }
  };
  const ask = (
    what: Asked["what"],
    id: string,
    question: Promise<{ readonly result: string }>,
  ): void => {
    const record: Asked = { what, id, answer: "" };
    asked.push(record);
    const settle = (answer: string): void => {
      if (record.answer !== "")
        faults.push(`${what} ${id} was answered ${record.answer}, then ${answer}`);
      record.answer = answer;
    };
    question.then(
      ({ result }) => settle(result),
      (fault: Error & { readonly code?: string }) => settle(`fault ${fault.code ?? String(fault)}`),
    );
  };
  const hold = (to: Live): void => {
    const known = asked.filter(({ what }) => what === "hold");
    const isAgain = known.length > 0 && chance.hits(0.2);
    const key = isAgain ? chance.pick(known).id : `${viewerId}-${asked.length}`;
    ask("hold", key, to.hold(DROP, { key }));
  };
  const say = (to: Live): void => {
    const text = chance.hits(0.2) ? "666" : `${viewerId} says ${asked.length}`;
    ask("comment", text, to.comment(text));
  };
  const cancel = (to: Live): void => {
    const held = [...to.state.orders.values()].filter(({ state }) => state === "held");
    if (held.length === 0) return;
    const { holdId } = chance.pick(held);
    ask("cancel", holdId, to.cancel(holdId));
  };
  const tap = (to: Live): void => {
    const likes = 1 + chance.below(1500);
    to.like(likes);
    tapped.likes += likes;
    if (!chance.hits(0.2)) return;
    to.share();
    tapped.shares++;
  };
  virtual.as(owner, () => void enter());
  return {
    viewerId,
    owner,
    get live() {
      return live;
    },
    get seen() {
      return seen;
    },
    tapped,
    asked,
    faults,
    act() {
      if (live !== undefined) chance.pick([tap, tap, say, say, hold, cancel])(live);
    },
    tap() {
      if (live !== undefined) tap(live);
    },
    close() {
      isOver = true;
      virtual.as(owner, () => live?.close());
    },
  };
}
