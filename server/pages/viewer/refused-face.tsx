/** Why not, in the same sheet: what happened, why, what next. */
import type { JSX } from "preact";
import { Icon } from "../shared/icons.tsx";
import { unitsOf } from "../shared/units.ts";
import type { RefusedWhy } from "./buying.ts";
import type { FaceProps } from "./buy-sheet.tsx";
import { say } from "./words.ts";

export function RefusedFace(props: FaceProps & { why: RefusedWhy }): JSX.Element {
  const { why, buying, onBag } = props;
  const { title, reason, next } = wordsOf(why, props);
  return (
    <div class="face refused" role="alert">
      <span class="ring-place">
        <span class="outcome">
          <Icon
            name={why === "noAnswer" ? "offline" : why === "soldOut" ? "box" : "clock"}
            size={40}
            weight={1.5}
          />
        </span>
      </span>
      <h2>{title}</h2>
      <p class="soft why">
        {reason}
        {next !== "" && <br />}
        {next}
      </p>
      <div class="two">
        <button
          type="button"
          class="button tall"
          onClick={why === "noAnswer" ? buying.dismiss : onBag}
        >
          {say(why === "noAnswer" ? "close" : "seeBag")}
        </button>
        <Next {...props} />
      </div>
    </div>
  );
}

/** The best that can be done now: ask again, stand in line, or nothing more. */
function Next({ why, drop, buying }: FaceProps & { why: RefusedWhy }): JSX.Element {
  const canWait = why === "soldOut" && drop.state === "soldOut" && drop.mode !== "lottery";
  const [word, run] =
    why === "noAnswer" || why === "pass"
      ? (["askAgain", () => buying.askAgain(drop)] as const)
      : canWait
        ? (["soldOutWait", () => buying.wait(drop)] as const)
        : (["ok", buying.dismiss] as const);
  return (
    <button type="button" class="button main tall" onClick={run}>
      {say(word)}
    </button>
  );
}

interface Words {
  readonly title: string;
  readonly reason: string;
  readonly next: string;
}

function wordsOf(why: RefusedWhy, { drop }: FaceProps): Words {
  switch (why) {
    case "soldOut":
      return {
        title: say("refusedSoldOut"),
        reason: say("refusedSoldOutWhy", { n: unitsOf(drop) }),
        next: drop.held > 0 ? say("refusedSoldOutNext") : "",
      };
    case "limit":
      return {
        title: say("refusedLimit", { n: drop.perBuyerLimit }),
        reason: say("refusedLimitWhy"),
        next: "",
      };
    case "notOpen":
      return { title: say("refusedNotOpen"), reason: say("refusedNotOpenWhy"), next: "" };
    case "closed":
      return { title: say("refusedClosed"), reason: say("refusedClosedWhy"), next: "" };
    case "coupon":
      return { title: say("refusedCoupon"), reason: say("refusedCouponWhy"), next: "" };
    case "tooLate":
      return { title: say("refusedTooLate"), reason: say("refusedTooLateWhy"), next: "" };
    case "pass":
      return { title: say("refusedPass"), reason: say("refusedPassWhy"), next: "" };
    case "noAnswer":
      return { title: say("refusedNoAnswer"), reason: say("refusedNoAnswerWhy"), next: "" };
  }
}
