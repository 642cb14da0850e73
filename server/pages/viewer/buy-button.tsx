/** The one button that buys. Its word is true at every moment, and it is disabled whenever a tap could not work. */
import type { JSX } from "preact";
import type { Drop } from "#sdk";
import { useDerived } from "../shared/derived.ts";
import { clock, clockOrDate } from "../shared/figures.ts";
import type { Room } from "../shared/room.ts";
import type { Buying } from "./buying.ts";
import { offerOf, type Offer } from "./drop-choice.ts";
import { say } from "./words.ts";

export function BuyButton(props: {
  drop: Drop;
  room: Room;
  buying: Buying;
  testId?: string;
  class?: string;
}): JSX.Element {
  const { drop, room, buying } = props;
  const offerNow = (nowMs: number): Offer =>
    offerOf(drop, {
      nowMs,
      connection: room.connection.value,
      orders: room.orders.value,
      askingDropId: buying.askingDropId.value,
    });
  // As one text, so that the button is drawn again only when what it says has changed.
  const look = useDerived(() => {
    const nowMs = room.nowMs.value;
    const offer = offerNow(nowMs);
    return [offer.kind, ...wordsOf(offer, drop, nowMs, buying)].join("\n");
  }, [drop, room, buying]).value;
  const [kind = "", words = "", above = ""] = look.split("\n");
  return (
    <button
      type="button"
      class={`button main buy ${kind} ${props.class ?? ""}`}
      data-testid={props.testId}
      data-offer={kind}
      disabled={!ACTIVE.has(kind)}
      title={kind === "offline" ? say("stillOffline") : undefined}
      onClick={() => act(offerNow(room.live.now()), drop, buying)}
    >
      {BUSY.has(kind) && <span class="spinner" />}
      <span>
        {above !== "" && <small>{above} </small>}
        {words}
      </span>
    </button>
  );
}

const ACTIVE: ReadonlySet<string> = new Set<Offer["kind"]>([
  "buy",
  "held",
  "paying",
  "waitlist",
  "draw",
  "inLine",
]);
const BUSY: ReadonlySet<string> = new Set<Offer["kind"]>(["asking", "paying", "offline"]);

/** What the offer of this very moment allows, which may be newer than what was drawn. */
function act(offer: Offer, drop: Drop, buying: Buying): void {
  if ("order" in offer) buying.showOrder(offer.order.holdId);
  else if (offer.kind === "waitlist" || offer.kind === "draw") buying.wait(drop);
  else if (offer.kind === "buy") buying.buy(drop);
}

/** The word, and for some a smaller one above it. */
function wordsOf(offer: Offer, drop: Drop, nowMs: number, buying: Buying): readonly string[] {
  if (offer.kind === "soon")
    return [say("buySoon", { clock: clockOrDate(drop.startsAtMs, nowMs) })];
  if (offer.kind === "held") return [say("goPay", { clock: clock(offer.leftMs) })];
  if (offer.kind === "inLine") return [say("inLine", { n: offer.ahead + 1 })];
  const quantity = buying.quantityOf(drop);
  if (offer.kind === "buy" && quantity > 1) return [say("buyMany", { n: quantity })];
  return FIXED_WORDS[offer.kind].map((word) => say(word));
}

const FIXED_WORDS = {
  buy: ["buy"],
  paying: ["payingShort"],
  waitlist: ["joinLine", "soldOut"],
  draw: ["joinDraw", "beforeStart"],
  asking: ["asking"],
  bought: ["bought"],
  soldOut: ["soldOut"],
  over: ["over"],
  offline: ["offline"],
} as const;
