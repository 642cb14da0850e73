/**
 * Tries to buy: `hold`, `redeem` (with coupons or a pass) and `tap`, whose answer may ride on what the log tells anyway: the order
 * that it became, or "sold out". What needs no asking is answered at once; the rest goes into the show's next batch. Cost of a try: two
 * objects and no promise; of an answer that rides: no frame.
 */
import type { Body, UpFrame } from "#wire";
import { encodeDown } from "#wire/server";
import type { Room } from "../room/room.ts";
import type { Asking } from "../shop/batch.ts";
import type { DropAnswer, DropRequest } from "../shop/inventory.ts";
import { failed, failedBy, isOfReplicas, isRepeat, KEY, refused, REPEAT } from "./answers.ts";
import type { CommandPorts } from "./commands.ts";
import type { Admitted } from "./door.ts";
import type { Session } from "./session.ts";

type FrameOf<K extends UpFrame["kind"]> = Extract<UpFrame, { kind: K }>;
type HoldAnswer = Body<"holdAnswered">;
type TryPorts = Pick<
  CommandPorts,
  "batches" | "rates" | "door" | "figures" | "nowMs" | "passed" | "log"
>;

/** What is asked for, by whichever frame. */
interface Wanted {
  readonly id: number;
  readonly key: string;
  readonly dropId: string;
  readonly quantity: number;
  readonly attempt: number;
  readonly coupons: readonly string[];
  readonly pass: string;
  /** Of a tap: the restock epoch it is for; else -1. */
  readonly restockEpoch: number;
}

export interface Tries {
  hold(session: Session, room: Room, frame: FrameOf<"hold">): void;
  tap(session: Session, room: Room, frame: FrameOf<"tap">): void;
  redeem(session: Session, room: Room, frame: FrameOf<"redeem">): void;
}

const NO_COUPONS: readonly string[] = [];
const NOTHING = { holdId: "", deadlineMs: 0, quantity: 0, retryAfterMs: 0 };
const ANY_EPOCH = -1;
const SOLD_OUT_HERE: DropAnswer = ["soldOut", 0];
/** Of a tap whose answer the log tells. */
const SOLD_OUT_TOLD: DropAnswer = ["soldOut", 0, 1];
const isTold = (decision: DropAnswer): boolean =>
  decision.at(-1) === 1 && decision.length === (decision[0] === "held" ? 4 : 3);

/** The answer most buyers of a rush get. Sessions count their requests from 1, so thousands of them are told the same bytes. */
const soldOutFrames: Uint8Array[] = [];
const MOST_KEPT = 256;

function soldOutFrame(id: number): Uint8Array {
  const known = soldOutFrames[id];
  if (known !== undefined) return known;
  const frame = encodeDown("holdAnswered", { id, result: "soldOut", ...NOTHING });
  // A copy: what the packer made would keep its whole pool alive.
  if (id < MOST_KEPT) soldOutFrames[id] = new Uint8Array(frame);
  return frame;
}

export function createTries(ports: TryPorts): Tries {
  const { rates, door } = ports;

  function take(session: Session, room: Room, wanted: Wanted): void {
    const { id, key, dropId } = wanted;
    if (!KEY.test(key)) return failed(session, id, "badRequest", false);
    if (isRepeat(session, room, key)) return enter(session, room, wanted, REPEAT);
    const retryAfterMs = rates.hold(session);
    if (retryAfterMs > 0) return answer(session, id, "tooFast", { ...NOTHING, retryAfterMs });
    const known = answerHere(room, wanted);
    if (known !== undefined) return soldOut(session, id, known);
    const admitted = door.admit(session, room, { key, dropId, pass: wanted.pass });
    if (admitted === undefined) answer(session, id, "pass");
    else enter(session, room, wanted, admitted);
  }
  const enter = (session: Session, room: Room, wanted: Wanted, admitted: Admitted): void => {
    ports.figures.holdsAsked++;
    if (wanted.attempt === 0) ports.passed("holdAsked");
    ports.batches.enter(session.show, new Try(session, room, wanted, admitted));
  };

  /**
   * Nothing left in this restock epoch. Every hold that came before "sold out" in the log is in the mirror or withheld, so a key
   * that is in neither (`isRepeat`) has never been answered with "held".
   */
  const answerHere = ({ mirror, guard }: Room, wanted: Wanted): DropAnswer | undefined => {
    const drop = mirror.state.drops.get(wanted.dropId);
    if (drop?.state !== "soldOut") return undefined;
    ports.figures.refusedHere++;
    const tells =
      drop.restockEpoch === wanted.restockEpoch &&
      drop.mode === "fcfs" &&
      !guard.isGuarded(drop.dropId);
    return tells ? SOLD_OUT_TOLD : SOLD_OUT_HERE;
  };

  const soldOut = (session: Session, id: number, decision: DropAnswer): void => {
    door.refused(session, "soldOut");
    if (!isTold(decision)) session.sendFrame(soldOutFrame(id));
  };
  const answer = (
    session: Session,
    id: number,
    result: HoldAnswer["result"],
    rest: Omit<HoldAnswer, "id" | "result"> = NOTHING,
  ): void => {
    if (result !== "held" && result !== "pending") door.refused(session, result);
    session.send("holdAnswered", { id, result, ...rest });
  };

  /** One try that Redis is asked about. */
  class Try implements Asking {
    readonly request: DropRequest;
    readonly #session: Session;
    readonly #room: Room;
    readonly #wanted: Wanted;
    readonly #isRepeat: boolean;
    readonly #startedMs = ports.nowMs();
    constructor(session: Session, room: Room, wanted: Wanted, admitted: Admitted) {
      this.#session = session;
      this.#room = room;
      this.#wanted = wanted;
      this.#isRepeat = admitted === REPEAT;
      const { key, dropId, quantity, coupons, restockEpoch } = wanted;
      const { viewerId } = session;
      this.request = {
        what: "hold",
        viewerId,
        key,
        dropId,
        quantity,
        coupons,
        admitted,
        restockEpoch,
      };
    }
    /** It may have sold out while this waited for its batch. */
    here(): DropAnswer | undefined {
      const isKnown = this.#isRepeat || isRepeat(this.#session, this.#room, this.#wanted.key);
      return isKnown ? undefined : answerHere(this.#room, this.#wanted);
    }
    reject(fault: unknown): void {
      failedBy(this.#session, this.#wanted.id, fault, ports.log);
    }
    resolve(decision: DropAnswer): void {
      try {
        if (decision[0] === "held" && isOfReplicas(decision)) void this.#whenOnReplicas(decision);
        else this.#decided(decision, true);
      } catch (fault) {
        this.reject(fault);
      }
    }
    async #whenOnReplicas(decision: DropAnswer): Promise<void> {
      const [, deadlineMs, units] = decision;
      const { key, dropId, coupons } = this.#wanted;
      const { viewerId } = this.#session;
      const held = { viewerId, key, dropId, coupons };
      try {
        const mayTell = await this.#room.guard.decided({
          ...held,
          quantity: Number(units),
          deadlineMs: Number(deadlineMs),
        });
        this.#decided(decision, mayTell);
      } catch (fault) {
        this.reject(fault);
      }
    }
    #decided(decision: DropAnswer, mayTell: boolean): void {
      const [word, first, second] = decision;
      const session = this.#session;
      const { id, key, attempt } = this.#wanted;
      ports.figures.holdTook(ports.nowMs() - this.#startedMs);
      if (attempt === 0) ports.passed("holdDecided");
      if (word === "soldOut") return soldOut(session, id, decision);
      if (word === "held" && isTold(decision)) return;
      if (refused(session, id, word)) return;
      const [deadlineMs, quantity] = [Number(first), Number(second)];
      // Not told yet: the log tells it as soon as replicas have it, see room/guard.ts.
      if (!mayTell) answer(session, id, "pending");
      else if (word !== "held") answer(session, id, word as HoldAnswer["result"]);
      else answer(session, id, word, { holdId: key, deadlineMs, quantity, retryAfterMs: 0 });
    }
  }

  return {
    hold: (session, room, frame) =>
      take(session, room, { ...plain(frame), restockEpoch: ANY_EPOCH }),
    tap: (session, room, frame) =>
      take(session, room, { ...plain(frame), restockEpoch: frame.restockEpoch }),
    redeem: (session, room, frame) => take(session, room, { ...frame, restockEpoch: ANY_EPOCH }),
  };
}

const plain = ({ id, key, dropId, quantity, attempt }: FrameOf<"hold" | "tap">) => ({
  id,
  key,
  dropId,
  quantity,
  attempt,
  coupons: NO_COUPONS,
  pass: "",
});
