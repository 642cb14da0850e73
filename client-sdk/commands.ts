/**
 * Commands on their way: each is kept until its answer, sent again after every reconnect, and given up at its deadline.
 * Safe because every command that changes something carries a key or sequence number made before the first send.
 */
import type { Body, FrameName, Order } from "#wire";
import { SdkFault } from "./live.ts";

type Command =
  | "comment"
  | "hold"
  | "tap"
  | "redeem"
  | "claim"
  | "wait"
  | "pass"
  | "pay"
  | "cancel"
  | "signal";
type Answer<C extends Command> = Body<
  C extends "redeem" | "tap" ? "holdAnswered" : `${Exclude<C, "redeem" | "tap">}Answered`
>;

interface Pending {
  name: Command;
  body: { readonly id: number; attempt?: number };
  readonly deadlineMs: number;
  readonly resolve: (answer: never) => void;
  readonly reject: (fault: SdkFault) => void;
}

export interface Commands {
  ask<C extends Command>(
    name: C,
    body: Omit<Body<C>, "id" | "attempt">,
    withinMs?: number,
  ): Promise<Answer<C>>;
  /** Settles the command that this frame answers. */
  answered(id: number, answer: object): void;
  readonly failed: (frame: Body<"failed">) => void;
  /** An own order has come: the answer to the tap that it was. */
  ordered(order: Order): void;
  /** Refuses the taps that this event answers. @param isHeld whether this viewer has got that one */
  soldOut(event: Body<"dropSoldOut">, isHeld: (key: string) => boolean): void;
  /** Taps that wait still want an answer of their own from here on: what happened meanwhile may not have been seen in order. */
  unride(): void;
  /** Sends everything unanswered again, but those of one name: the room was joined anew. */
  resend(except?: Command): void;
  /** Gives up what is past its deadline. Called about once a second. */
  expire(nowMs: number): void;
  /** Gives up everything, and whatever is asked from here on. */
  abandon(): void;
}

/** After this a tap asks to be answered in so many words. */
const TAP_AGAIN_MS = 2000;
const SOLD_OUT = { result: "soldOut", holdId: "", deadlineMs: 0, quantity: 0, retryAfterMs: 0 };

export interface CommandPorts {
  /** Sends if the room is joined; else does nothing, `resend` will come. */
  readonly send: (name: FrameName, body: object) => void;
  readonly nowMs: () => number;
  readonly later: (fn: () => void, delayMs: number) => void;
}

export function createCommands({ send, nowMs, later }: CommandPorts): Commands {
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let abandoned = false;
  const settle = (id: number): Pending | undefined => {
    const command = pending.get(id);
    pending.delete(id);
    return command;
  };
  const unride = (command: Pending): void => {
    if (command.name !== "tap") return;
    const { restockEpoch: _epoch, ...asked } = command.body as Body<"tap">;
    command.name = "hold";
    command.body = asked;
  };
  const again = (id: number): void => {
    const command = pending.get(id);
    if (command === undefined) return;
    unride(command);
    if (command.body.attempt !== undefined)
      command.body.attempt = Math.min(command.body.attempt + 1, 255);
    send(command.name, command.body);
  };
  return {
    ask(name, body, withinMs = 15_000) {
      if (abandoned) return Promise.reject(new SdkFault("closed", false));
      const id = nextId++;
      const { promise, resolve, reject } = Promise.withResolvers<Answer<typeof name>>();
      const counted = name !== "comment" && name !== "signal";
      const full = { ...body, id, ...(counted && { attempt: 0 }) };
      pending.set(id, {
        name,
        body: full,
        deadlineMs: nowMs() + withinMs,
        resolve,
        reject,
      });
      send(name, full);
      // Unless it has become a hold: two of them under way could be decided either way.
      if (name === "tap") later(() => pending.get(id)?.name === "tap" && again(id), TAP_AGAIN_MS);
      return promise;
    },
    answered: (id, answer) => settle(id)?.resolve(answer as never),
    failed({ id, code, retryable, retryAfterMs }) {
      // Repeating a key is safe, so a passing fault is ours to ride out until the deadline.
      if (retryable && pending.has(id)) later(() => again(id), Math.max(retryAfterMs, 100));
      else settle(id)?.reject(new SdkFault(code, retryable));
    },
    ordered({ holdId, deadlineMs, quantity }) {
      // Under this key there is but a place in line: that is no hold.
      if (deadlineMs === 0) return;
      for (const [id, { name, body, resolve }] of pending) {
        if (name !== "tap" || (body as Body<"tap">).key !== holdId) continue;
        pending.delete(id);
        resolve({ ...SOLD_OUT, result: "held", holdId, deadlineMs, quantity } as never);
      }
    },
    soldOut({ dropId, restockEpoch, answersTaps }, isHeld) {
      if (!answersTaps) return;
      for (const [id, { name, body, resolve }] of pending) {
        const tap = body as Body<"tap">;
        const isOf = name === "tap" && tap.dropId === dropId && tap.restockEpoch <= restockEpoch;
        if (!isOf || isHeld(tap.key)) continue;
        pending.delete(id);
        resolve(SOLD_OUT as never);
      }
    },
    unride: () => pending.forEach(unride),
    resend(except) {
      for (const [id, { name }] of pending) if (name !== except) again(id);
    },
    expire(now) {
      for (const [id, { deadlineMs, reject }] of pending) {
        if (deadlineMs > now) continue;
        pending.delete(id);
        reject(new SdkFault("timeout", true));
      }
    },
    abandon() {
      abandoned = true;
      for (const { reject } of pending.values()) reject(new SdkFault("closed", false));
      pending.clear();
    },
  };
}
