/**
 * What a joined viewer may ask, one function per frame. A "no" of ordinary life is an answer; the world failing is a `failed`
 * frame that says whether the same command may be sent again.
 */
import type { Body, UpFrame } from "#wire";
import type { Logger } from "../log.ts";
import { isOutage } from "../redis/outage.ts";
import type { Room } from "../room/room.ts";
import type { Batches } from "../shop/batch.ts";
import type { DropAnswer, DropRequest } from "../shop/inventory.ts";
import { failed, failedBy, isOfReplicas, isRepeat, KEY, refused, REPEAT } from "./answers.ts";
import type { Door } from "./door.ts";
import type { Figures } from "./figures.ts";
import type { MediaLink } from "./media-link.ts";
import type { Rates } from "./rates.ts";
import type { Session } from "./session.ts";
import { createTries } from "./tries.ts";

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

/** A claim is remembered inside a list of `key=state`. */
const CLAIM_KEY = /^[\w-]+$/;

export function createCommands(ports: CommandPorts): (session: Session, frame: Command) => void {
  const { batches, media, rates, door, figures, redisNowMs } = ports;
  const tries = createTries(ports);

  /** Runs what an answer needs; a store that is away becomes `storeDown`, to be asked again with the same key. */
  const answering = async (
    session: Session,
    id: number,
    work: () => Promise<void>,
  ): Promise<void> => {
    try {
      await work();
    } catch (fault) {
      failedBy(session, id, fault, ports.log);
    }
  };

  const ask = (session: Session, request: Omit<DropRequest, "viewerId">): Promise<DropAnswer> =>
    batches.ask(session.show, { ...request, viewerId: session.viewerId });

  const handlers: {
    readonly [K in Command["kind"]]: (s: Session, room: Room, frame: CommandOf<K>) => void;
  } = {
    beat(session, room, { offset, tick, clientAtMs }) {
      room.beat(session, { offset, tick });
      session.send("beaten", { clientAtMs, serverAtMs: Math.floor(redisNowMs()) });
      session.renewTicket();
    },
    seen: (session, room, { tick }) => room.seen(session, tick),
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
    hold: (session, room, frame) => tries.hold(session, room, frame),
    tap: (session, room, frame) => tries.tap(session, room, frame),
    redeem: (session, room, frame) => tries.redeem(session, room, frame),
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
    if (room.hasSaid(session.viewerId, session.client, seq)) return answer("accepted");
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
