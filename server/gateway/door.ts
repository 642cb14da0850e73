/**
 * The door of a drop: gives passes out before the start, and says of each try to buy how far it is admitted. The drop's `admission`
 * is held against that in the atomic step itself (shop/admission.lua), so a node that has not heard of a drop yet lets nobody past;
 * what this node does know is refused here, without Redis. An open drop costs one comparison.
 */
import type { Admission, Body, Drop, UpFrame } from "#wire";
import type { Attempt, Passes, Standing } from "../passes.ts";
import type { Room } from "../room/room.ts";
import type { Figures } from "./figures.ts";
import type { Rates } from "./rates.ts";
import type { Session } from "./session.ts";
import type { Velocity } from "./velocity.ts";

/** What the atomic step is told of a try to buy. */
export interface Admitted {
  /** Highest kind of admission it fulfils; see LEVELS. */
  readonly level: number;
  /** What was odd about it, joined by commas. */
  readonly flags: string;
}

export interface Door {
  /** Answers a request for a pass. */
  readonly pass: (session: Session, room: Room, frame: PassFrame) => void;
  /** @returns undefined when the drop wants a pass that was not shown */
  readonly admit: (session: Session, room: Room, tried: Tried) => Admitted | undefined;
  /** A try to buy was refused, for this reason. */
  readonly refused: (session: Session, reason: string) => void;
}

interface Issued {
  readonly pass: string;
  readonly standing: "pass" | "proof";
  readonly untilMs: number;
}
type PassAnswer = Omit<Body<"passAnswered">, "id">;
type PassFrame = Extract<UpFrame, { kind: "pass" }>;
type Tried = { readonly key: string; readonly dropId: string; readonly pass: string };

export interface DoorPorts {
  readonly passes: Passes;
  readonly rates: Rates;
  readonly velocity: Velocity;
  readonly figures: Pick<Figures, "refused" | "flagged">;
  readonly redisNowMs: () => number;
}

/** What each kind of admission asks for; the same in shop/admission.lua. */
const LEVELS = { open: 0, flagged: 1, token: 2, proof: 3 } as const satisfies Record<
  Admission,
  number
>;
const STANDS_FOR = { none: 0, pass: LEVELS.token, proof: LEVELS.proof } as const satisfies Record<
  Standing,
  number
>;

const OPEN: Admitted = { level: LEVELS.open, flags: "" };

/** A pass is good for this long, or for as long after the start. */
const PASS_MS = 15 * 60_000;
const CHALLENGE_MS = 5 * 60_000;

export function createDoor({ passes, rates, velocity, figures, redisNowMs }: DoorPorts): Door {
  /** The newest pass that a connection got here: shown here too, it need not be checked again. */
  const issued = new WeakMap<Session, Attempt & Issued>();

  const standingOf = (session: Session, attempt: Attempt, pass: string): Standing => {
    const own = issued.get(session);
    const isOwn = own?.pass === pass && own.key === attempt.key && own.dropId === attempt.dropId;
    const nowMs = redisNowMs();
    return isOwn && own.untilMs > nowMs ? own.standing : passes.check(pass, attempt, nowMs);
  };
  const isOver = ({ state, endsAtMs }: Drop): boolean =>
    state === "closed" || state === "voided" || redisNowMs() >= endsAtMs;

  const answer = (
    session: Session,
    room: Room,
    frame: PassFrame,
  ): Partial<PassAnswer> & Pick<PassAnswer, "result"> => {
    const { key, dropId, challenge, nonce } = frame;
    const drop = room.mirror.state.drops.get(dropId);
    // One that is not known here cannot be told from one that is over: its hold will say which.
    if (drop === undefined || isOver(drop)) return { result: "closed" };
    if (drop.admission === "open") return { result: "notNeeded" };
    const retryAfterMs = rates.pass(session);
    if (retryAfterMs > 0) return { result: "tooFast", retryAfterMs };
    const attempt = { show: session.show, viewerId: session.viewerId, dropId, key };
    const nowMs = Math.floor(redisNowMs());
    const isProved = drop.admission === "token" || passes.solves(challenge, nonce, attempt, nowMs);
    if (!isProved) {
      const untilMs = nowMs + CHALLENGE_MS;
      return { result: "proof", untilMs, ...passes.challenge(attempt, untilMs) };
    }
    const untilMs = Math.max(nowMs, drop.startsAtMs) + PASS_MS;
    const standing = drop.admission === "token" ? "pass" : "proof";
    const pass = passes.issue(attempt, standing, untilMs);
    issued.set(session, { ...attempt, pass, standing, untilMs });
    return { result: "pass", untilMs, pass };
  };
  return {
    pass(session, room, frame) {
      session.send("passAnswered", {
        id: frame.id,
        pass: "",
        challenge: "",
        bits: 0,
        retryAfterMs: 0,
        untilMs: 0,
        ...answer(session, room, frame),
      });
    },
    admit(session, room, { key, dropId, pass }) {
      const drop = room.mirror.state.drops.get(dropId);
      const flags = velocity.look(session, session.network || undefined, drop);
      if (drop?.admission === "open" && flags === "") return OPEN;
      const { show, viewerId } = session;
      const attempt: Attempt = { show, viewerId, dropId, key };
      const shown = STANDS_FOR[standingOf(session, attempt, pass)];
      const level = shown === 0 && flags === "" ? LEVELS.flagged : shown;
      if (flags !== "") figures.flagged++;
      return drop !== undefined && LEVELS[drop.admission] > level ? undefined : { level, flags };
    },
    refused(session, reason) {
      velocity.refused(session);
      figures.refused[reason] = (figures.refused[reason] ?? 0) + 1;
    },
  };
}
