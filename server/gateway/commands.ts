/**
 * What a joined viewer may ask, one function per frame. A "no" of ordinary life is an answer; the world failing is a `failed`
 * frame that says whether the same command may be sent again.
 */
import type { Body, FailureCode, UpFrame } from "#wire";
import { encodeDown } from "#wire/server";
import type { Logger } from "../log.ts";
import { isOutage } from "../redis/outage.ts";
import type { Room } from "../room/room.ts";
import type { Batches } from "../shop/batch.ts";
import type { DropAnswer, DropRequest } from "../shop/inventory.ts";
import type { Admitted, Door } from "./door.ts";
import type { Figures } from "./figures.ts";
import type { MediaLink } from "./media-link.ts";
import type { Rates } from "./rates.ts";
import type { Session } from "./session.ts";

export interface CommandPorts {
  readonly batches: Batches;
  readonly media: MediaLink;
  readonly rates: Rates;
  readonly door: Door;
  readonly figures: Figures;
  /** Redis TIME, for clients' clocks. */
  readonly redisNowMs: () => number;
  /** Monotonic, for rates and durations. */
  readonly nowMs: () => number;
  /** Before a hold is decided, and between decision and answer, on a first attempt: where fault tests kill the process. */
  readonly passed: (point: "holdAsked" | "holdDecided") => void;
  readonly log: Logger;
}

type Command = Exclude<UpFrame, { kind: "hello" }>;
type CommandOf<K extends Command["kind"]> = Extract<Command, { kind: K }>;

/** A hold, with or without coupons and pass. */
type Purchase = Omit<CommandOf<"hold">, "kind">;
type Shown = Pick<CommandOf<"redeem">, "coupons" | "pass">;
type HoldAnswer = Body<"holdAnswered">;
/** A try for units that goes no further than this node. */
type TurnedAway = Pick<HoldAnswer, "retryAfterMs"> & {
  readonly result: "tooFast" | "soldOut" | "pass";
};

const NOTHING_SHOWN: Shown = { coupons: [], pass: "" };
const SOLD_OUT: TurnedAway = { result: "soldOut", retryAfterMs: 0 };
const SOLD_OUT_HERE: DropAnswer = ["soldOut", 0];
const NOTHING = { holdId: "", deadlineMs: 0, quantity: 0, retryAfterMs: 0 };

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

const RETRY_AFTER_MS = 300;
/** Its first answer is remembered: what it shows makes no difference. */
const REPEAT: Admitted = { level: 0, flags: "" };
/** Printable ASCII without `|`, which joins the parts of a field in Redis. */
const KEY = /^[\x21-\x7b\x7d\x7e]+$/;
/** A claim is remembered inside a list of `key=state`. */
const CLAIM_KEY = /^[\w-]+$/;

const failed = (session: Session, id: number, code: FailureCode, retryable: boolean): void =>
  session.send("failed", { id, code, retryable, retryAfterMs: retryable ? RETRY_AFTER_MS : 0 });

export function createCommands(ports: CommandPorts): (session: Session, frame: Command) => void {
  const { batches, media, rates, door, figures, redisNowMs, nowMs } = ports;

  /** Runs what an answer needs; a store that is away becomes `storeDown`, to be asked again with the same key. */
  const answering = async (
    session: Session,
    id: number,
    work: () => Promise<void>,
  ): Promise<void> => {
    try {
      await work();
    } catch (fault) {
      const away = isOutage(fault);
      // One viewer's request must never end the process that serves ten thousand: reported as a bug, refused for good.
      if (!away) ports.log.error({ err: fault }, "a command failed");
      failed(session, id, away ? "storeDown" : "badRequest", away);
    }
  };

  const ask = (session: Session, request: Omit<DropRequest, "viewerId">): Promise<DropAnswer> =>
    batches.ask(session.show, { ...request, viewerId: session.viewerId });

  const handlers: {
    readonly [K in Command["kind"]]: (s: Session, room: Room, frame: CommandOf<K>) => void;
  } = {
    beat(session, room, { tick, clientAtMs }) {
      room.seen(session, tick, false);
      session.send("beaten", { clientAtMs, serverAtMs: Math.floor(redisNowMs()) });
      session.renewTicket();
    },
    seen: (session, room, { tick }) => room.seen(session, tick, true),
    catchUp: (session, room, { offset }) => room.catchUp(session, offset),
    comment: (session, room, frame) =>
      void answering(session, frame.id, () => comment(session, room, frame)),
    react(session, room, { seq, likes, shares }) {
      figures.likesIn += likes;
      const { viewerId, client } = session;
      room.react({ viewerId, client, seq, likes, shares }).then(
        () => session.send("reacted", { seq }),
        // Not confirmed, so the client sends it again: a like is never lost, and never counted twice.
        (fault: unknown) => {
          if (!isOutage(fault)) ports.log.error({ err: fault }, "likes could not be added");
          session.lose();
        },
      );
    },
    hold: (session, room, frame) => buy(session, room, frame, NOTHING_SHOWN),
    redeem: (session, room, frame) => buy(session, room, frame, frame),
    claim: (session, _room, frame) =>
      void answering(session, frame.id, () => claim(session, frame)),
    pass: (session, room, frame) =>
      KEY.test(frame.key)
        ? door.pass(session, room, frame)
        : failed(session, frame.id, "badRequest", false),
    wait: (session, room, frame) =>
      void answering(session, frame.id, () => wait(session, room, frame)),
    pay: (session, room, frame) =>
      void answering(session, frame.id, () => pay(session, room, frame)),
    cancel: (session, _room, { id, holdId }) =>
      void answering(session, id, async () => {
        const [word] = await ask(session, { what: "cancel", key: holdId, dropId: "", quantity: 0 });
        session.send("cancelAnswered", { id, result: word as Body<"cancelAnswered">["result"] });
      }),
    signal: (session, _room, frame) => media.signal(session, frame),
  };

  async function comment(session: Session, room: Room, frame: CommandOf<"comment">): Promise<void> {
    const { id, seq } = frame;
    const answer = (
      result: Body<"commentAnswered">["result"],
      commentNo = 0,
      retryAfterMs = 0,
    ): void => session.send("commentAnswered", { id, result, commentNo, retryAfterMs });
    const mutedForMs = room.mirror.mutedUntilMs(session.viewerId) - redisNowMs();
    if (mutedForMs > 0) return answer("muted", 0, Math.ceil(mutedForMs));
    const text = frame.text.trim();
    if (text === "") return answer("blocked");
    const waitMs = session.role === "viewer" ? rates.comment(session, seq) : 0;
    if (waitMs > 0) return answer("tooFast", 0, waitMs);
    const { viewerId, client, name, role, sinceMs } = session;
    const said = await room.comment({ viewerId, client, seq, name, role, text }, sinceMs);
    if (said.result === "accepted") figures.commentsIn++;
    answer(said.result, said.commentNo, said.retryAfterMs);
  }

  const answerHold = (
    session: Session,
    id: number,
    result: HoldAnswer["result"],
    { holdId, deadlineMs, quantity, retryAfterMs } = NOTHING,
  ): void => {
    if (result !== "held" && result !== "pending") door.refused(session, result);
    if (result === "soldOut") session.sendFrame(soldOutFrame(id));
    else session.send("holdAnswered", { id, result, holdId, deadlineMs, quantity, retryAfterMs });
  };

  /** What needs no asking is answered at once: no promise, no call. */
  function buy(session: Session, room: Room, frame: Purchase, { coupons, pass }: Shown): void {
    const { id, key } = frame;
    if (!KEY.test(key)) return failed(session, id, "badRequest", false);
    const admitted = isRepeat(session, room, key) ? REPEAT : received(session, room, frame, pass);
    if ("result" in admitted)
      return answerHold(session, id, admitted.result, { ...NOTHING, ...admitted });
    void answering(session, id, () => hold(session, room, frame, { coupons, admitted }));
  }

  /** What needs no asking; else how far this try is admitted. */
  function received(
    session: Session,
    room: Room,
    { key, dropId }: Purchase,
    pass: string,
  ): TurnedAway | Admitted {
    const retryAfterMs = rates.hold(session);
    if (retryAfterMs > 0) return { result: "tooFast", retryAfterMs };
    if (isSoldOut(room, dropId)) return SOLD_OUT;
    return door.admit(session, room, { key, dropId, pass }) ?? { result: "pass", retryAfterMs: 0 };
  }

  /**
   * Nothing left in this restock epoch. Every hold that came before "sold out" in the log is in the mirror or withheld, so a key
   * that is in neither (`isRepeat`) has never been answered with "held".
   */
  function isSoldOut({ mirror }: Room, dropId: string): boolean {
    if (mirror.state.drops.get(dropId)?.state !== "soldOut") return false;
    figures.refusedHere++;
    return true;
  }

  async function hold(
    session: Session,
    room: Room,
    { id, key, dropId, quantity, attempt }: Purchase,
    { coupons, admitted }: { readonly coupons: readonly string[]; readonly admitted: Admitted },
  ): Promise<void> {
    figures.holdsAsked++;
    if (attempt === 0) ports.passed("holdAsked");
    const startedMs = nowMs();
    const { show, viewerId } = session;
    const decision = await batches.ask(
      show,
      { what: "hold", viewerId, key, dropId, quantity, coupons, admitted },
      // It may have sold out while this waited for its batch.
      () => (!isRepeat(session, room, key) && isSoldOut(room, dropId) ? SOLD_OUT_HERE : undefined),
    );
    const [word, first, second] = decision;
    const [deadlineMs, units] = [Number(first), Number(second)];
    const held = { viewerId, key, dropId, quantity: units, coupons, deadlineMs };
    const isHeld = word === "held";
    const mayTell = !isHeld || !isOfReplicas(decision) || (await room.guard.decided(held));
    figures.holdTook(nowMs() - startedMs);
    if (attempt === 0) ports.passed("holdDecided");
    if (refused(session, id, word)) return;
    // Not told yet: the log tells it as soon as replicas have it, see room/guard.ts.
    if (!mayTell) answerHold(session, id, "pending");
    else if (!isHeld) answerHold(session, id, word as "soldOut");
    else answerHold(session, id, "held", { ...NOTHING, holdId: key, deadlineMs, quantity: units });
  }

  async function pay(session: Session, room: Room, frame: CommandOf<"pay">): Promise<void> {
    const { id, holdId } = frame;
    const { guard } = room;
    // No money for a hold that a failover could still take away.
    if (guard.isWithheld(session.viewerId, holdId) && !(await guard.reach()))
      return failed(session, id, "storeDown", true);
    const decision = await ask(session, { what: "pay", key: holdId, dropId: "", quantity: 0 });
    const [word, orderId] = decision;
    const isEarly = word === "sold" && isOfReplicas(decision) && !(await guard.reach());
    session.send("payAnswered", {
      id,
      result: isEarly ? "paying" : (word as Body<"payAnswered">["result"]),
      orderId: isEarly ? "" : String(orderId ?? ""),
    });
  }

  async function claim(session: Session, frame: CommandOf<"claim">): Promise<void> {
    const { id, key, couponId } = frame;
    if (!CLAIM_KEY.test(key)) return failed(session, id, "badRequest", false);
    const [word] = await ask(session, { what: "claim", key, dropId: couponId, quantity: 0 });
    if (word === "unknown") return failed(session, id, "notFound", false);
    session.send("claimAnswered", { id, result: word as Body<"claimAnswered">["result"] });
  }

  async function wait(session: Session, room: Room, frame: CommandOf<"wait">): Promise<void> {
    const { id, key, dropId, quantity } = frame;
    const answer = (
      result: Body<"waitAnswered">["result"],
      ticket = 0,
      ahead = 0,
      retryAfterMs = 0,
    ): void => session.send("waitAnswered", { id, result, ticket, ahead, retryAfterMs });
    if (!KEY.test(key)) return failed(session, id, "badRequest", false);
    const retryAfterMs = isRepeat(session, room, key) ? 0 : rates.hold(session);
    if (retryAfterMs > 0) return answer("tooFast", 0, 0, retryAfterMs);
    const admitted = isRepeat(session, room, key) ? REPEAT : door.admit(session, room, frame);
    if (admitted === undefined) return answer("pass");
    const decision = await ask(session, { what: "wait", key, dropId, quantity, admitted });
    const [word, ticket, ahead] = decision;
    if (refused(session, id, word)) return;
    if (word === "waiting") answer(word, Number(ticket), Number(ahead));
    else answer(word as Body<"waitAnswered">["result"]);
  }

  return (session, frame) => {
    const { room } = session;
    if (room !== undefined) handlers[frame.kind](session, room, frame as never);
  };
}

/** The drop is not there, or stands still after a failover until the nodes have told what they know: then ask again. */
function refused(session: Session, id: number, word: string): boolean {
  if (word === "unknown") failed(session, id, "notFound", false);
  else if (word === "paused") failed(session, id, "storeDown", true);
  else return false;
  return true;
}

/** Of a drop of class replica. */
const isOfReplicas = (answer: DropAnswer): boolean => answer.at(-1) === "replica";

/** A key that this viewer's orders know is a repeat: it gets its first answer, whatever else there is. */
const isRepeat = ({ viewerId }: Session, { mirror, guard }: Room, key: string): boolean =>
  mirror.hasOrder(viewerId, key) || guard.isWithheld(viewerId, key);
