/**
 * One viewer's commands on their way: holds under keys and likes under sequence numbers are repeated until they are answered,
 * after a reconnect too, as the SDK does: first as a tap where the log can answer it, then as a hold. A comment that was under way when
 * the connection broke is not repeated.
 */
import type { Body, Drop, DownFrame } from "#wire";
import type { HoldRecord, ViewerHistory } from "./history.ts";
import type { Tally } from "./tally.ts";

type Ask = "hold" | "tap" | "comment" | "react";
export type SendAsk = <N extends Ask>(name: N, body: Body<N>) => void;

export interface AskPorts {
  readonly history: ViewerHistory;
  readonly tally: Tally;
  /** Does nothing while the room is not joined: `repeat` will come. */
  readonly send: SendAsk;
  readonly nowMs: () => number;
  readonly holdAnswered: () => void;
}

interface Asked {
  readonly atMs: number;
  readonly hold?: HoldRecord;
  /** Of a tap: the restock epoch it is for. */
  rides?: number | undefined;
}

const LEAST_RETRY_MS = 100;
/** As the SDK: after this a tap asks to be answered in so many words. */
const TAP_AGAIN_MS = 2000;

export class Asks {
  readonly #ports: AskPorts;
  readonly #asked = new Map<number, Asked>();
  #unconfirmed: { readonly seq: number; readonly likes: number }[] = [];
  /** Drops that can be tapped for, by id: their restock epoch, and whether there is something left as far as one knows. */
  readonly #drops = new Map<string, { readonly restockEpoch: number; readonly isOpen: boolean }>();
  #lastId = 0;
  #commentSeq = 0;
  #reactionSeq = 0;

  constructor(ports: AskPorts) {
    this.#ports = ports;
  }

  hold(dropId: string, quantity: number, key: string): void {
    const { history, nowMs } = this.#ports;
    const hold: HoldRecord = {
      dropId,
      key,
      quantity,
      result: "unanswered",
      repeats: 0,
      tookMs: 0,
      deadlineMs: 0,
    };
    history.holds.push(hold);
    const id = ++this.#lastId;
    const drop = this.#drops.get(dropId);
    if (drop?.isOpen !== true) {
      this.#asked.set(id, { atMs: nowMs(), hold });
      this.#sendHold(id, hold);
      return;
    }
    const { restockEpoch } = drop;
    const asked: Asked = { atMs: nowMs(), hold, rides: restockEpoch };
    this.#asked.set(id, asked);
    this.#ports.send("tap", { id, key, dropId, quantity, restockEpoch, attempt: 0 });
    const again = (): void => {
      if (this.#asked.get(id)?.rides !== undefined) this.#repeatHold(id, hold);
    };
    setTimeout(again, TAP_AGAIN_MS).unref();
  }

  comment(text: string): void {
    const { history, nowMs, send } = this.#ports;
    const id = ++this.#lastId;
    this.#asked.set(id, { atMs: nowMs() });
    history.comments.sent++;
    send("comment", { id, seq: ++this.#commentSeq, text });
  }

  like(likes: number): void {
    const { history, send } = this.#ports;
    const reaction = { seq: ++this.#reactionSeq, likes };
    this.#unconfirmed.push(reaction);
    history.likes.sent += likes;
    send("react", { ...reaction, shares: 0 });
  }

  /** Everything unanswered goes out again. */
  repeat(): void {
    for (const [id, { hold }] of this.#asked)
      if (hold === undefined) this.#asked.delete(id);
      else this.#repeatHold(id, hold);
    for (const reaction of this.#unconfirmed) this.#ports.send("react", { ...reaction, shares: 0 });
  }

  /** What the room hears, and what one's own orders are: they may be the answer to a tap. */
  heard(frame: DownFrame): void {
    if (frame.kind === "snapshot") for (const drop of frame.drops) this.#learn(drop);
    else if (frame.kind === "dropAnnounced") this.#learn(frame.drop);
    else if (frame.kind === "stockChanged") this.#restocked(frame);
    else if (frame.kind === "orderChanged") {
      const { holdId, deadlineMs } = frame;
      this.#ride("held", deadlineMs, (hold) => hold.key === holdId);
    } else if (frame.kind === "dropSoldOut") this.#soldOut(frame);
  }

  /** Another connection: what it brings of the past may not be in order with one's own orders. */
  welcomed(): void {
    for (const asked of this.#asked.values()) asked.rides = undefined;
  }

  #learn({ dropId, mode, state, restockEpoch }: Drop): void {
    const isOpen = state === "announced" || state === "open";
    if (mode === "fcfs") this.#drops.set(dropId, { restockEpoch, isOpen });
  }

  #restocked({ dropId, restockEpoch }: Body<"stockChanged">): void {
    const known = this.#drops.get(dropId);
    if (known !== undefined && restockEpoch > known.restockEpoch)
      this.#drops.set(dropId, { restockEpoch, isOpen: true });
  }

  #soldOut({ dropId, restockEpoch, answersTaps }: Body<"dropSoldOut">): void {
    const known = this.#drops.get(dropId);
    if (known !== undefined && restockEpoch >= known.restockEpoch)
      this.#drops.set(dropId, { restockEpoch, isOpen: false });
    if (answersTaps)
      this.#ride("soldOut", 0, (hold, rides) => hold.dropId === dropId && rides <= restockEpoch);
  }

  /** Answers taps. */
  #ride(
    result: "held" | "soldOut",
    deadlineMs: number,
    isMeant: (hold: HoldRecord, rides: number) => boolean,
  ): void {
    for (const [id, { hold, rides }] of this.#asked)
      if (hold !== undefined && rides !== undefined && isMeant(hold, rides))
        this.#holdAnswered({ id, result, deadlineMs });
  }

  /** @returns false for a frame that answers nothing */
  take(frame: DownFrame): boolean {
    if (frame.kind === "holdAnswered") this.#holdAnswered(frame);
    else if (frame.kind === "commentAnswered") this.#commentAnswered(frame);
    else if (frame.kind === "reacted") this.#confirmed(frame.seq);
    else if (frame.kind === "failed") this.#failed(frame);
    else return false;
    return true;
  }

  #sendHold(id: number, { dropId, key, quantity, repeats }: HoldRecord): void {
    this.#ports.send("hold", { id, key, dropId, quantity, attempt: Math.min(255, repeats) });
  }

  #repeatHold(id: number, hold: HoldRecord): void {
    const asked = this.#asked.get(id);
    if (asked !== undefined) asked.rides = undefined;
    hold.repeats++;
    this.#sendHold(id, hold);
  }

  /** @returns undefined when it was answered before */
  #settle(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }

  #holdAnswered({
    id,
    result,
    deadlineMs,
  }: Pick<Body<"holdAnswered">, "id" | "result" | "deadlineMs">): void {
    const asked = this.#settle(id);
    if (asked?.hold === undefined) return;
    const { tally, nowMs, holdAnswered } = this.#ports;
    const tookMs = nowMs() - asked.atMs;
    Object.assign(asked.hold, { result, deadlineMs, tookMs });
    tally.holdUs.record(tookMs * 1000);
    holdAnswered();
  }

  #commentAnswered({ id, result }: Body<"commentAnswered">): void {
    const asked = this.#settle(id);
    if (asked === undefined) return;
    const { history, tally, nowMs } = this.#ports;
    history.comments[result]++;
    tally.commentUs.record((nowMs() - asked.atMs) * 1000);
  }

  /** Everything up to `seq` is in the totals. */
  #confirmed(seq: number): void {
    for (const reaction of this.#unconfirmed)
      if (reaction.seq <= seq) this.#ports.history.likes.applied += reaction.likes;
    this.#unconfirmed = this.#unconfirmed.filter((reaction) => reaction.seq > seq);
  }

  #failed({ id, code, retryable, retryAfterMs }: Body<"failed">): void {
    const { faults } = this.#ports.tally;
    faults[code] = (faults[code] ?? 0) + 1;
    const hold = this.#asked.get(id)?.hold;
    if (hold !== undefined && retryable) {
      const again = (): void => {
        if (this.#asked.has(id)) this.#repeatHold(id, hold);
      };
      setTimeout(again, Math.max(LEAST_RETRY_MS, retryAfterMs)).unref();
      return;
    }
    this.#settle(id);
    if (hold === undefined) return;
    hold.result = "failed";
    this.#ports.holdAnswered();
  }
}
