/**
 * One viewer's commands on their way: holds under keys and likes under sequence numbers are repeated until they are answered,
 * after a reconnect too, as the SDK does. A comment that was under way when the connection broke is not repeated.
 */
import type { Body, DownFrame } from "#wire";
import type { HoldRecord, ViewerHistory } from "./history.ts";
import type { Tally } from "./tally.ts";

type Ask = "hold" | "comment" | "react";
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
}

const LEAST_RETRY_MS = 100;

export class Asks {
  readonly #ports: AskPorts;
  readonly #asked = new Map<number, Asked>();
  #unconfirmed: { readonly seq: number; readonly likes: number }[] = [];
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
    this.#asked.set(id, { atMs: nowMs(), hold });
    this.#sendHold(id, hold);
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
    hold.repeats++;
    this.#sendHold(id, hold);
  }

  /** @returns undefined when it was answered before */
  #settle(id: number): Asked | undefined {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked;
  }

  #holdAnswered({ id, result, deadlineMs }: Body<"holdAnswered">): void {
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
