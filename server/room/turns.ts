/**
 * What a gateway publishes, cut into turns of the loop: one flush to 10,000 sockets blocks a loop for 50 ms (measured), so at most
 * `SOCKETS_PER_TURN` are written to before everybody else on the loop (purchases, the log reader) has had a turn. One object per
 * gateway, over all its rooms. Urgent frames go ahead of all others, whatever was there first; of each kind the order per topic
 * stays. While buyers rush all of it waits for their answers, for 150 ms at most: a frame to every screen costs as much as an
 * answer to every buyer, and they wait for theirs. But for what is such an answer: that takes along what waits. Costs nothing while
 * nothing waits.
 */
import { textOf } from "#wire/server";
import { deflated } from "./deflating.ts";

/** How a topic's listeners get their frames; `deflated`: packed, and deflated where that pays. */
export const ENCODINGS = ["packed", "text", "deflated"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** One message in all encodings: packed once; turned into text, or deflated, once and only where somebody reads that. */
export interface Frame {
  readonly bytes: Uint8Array;
  text: string | undefined;
  deflated: Uint8Array | undefined;
}

function messageOf(frame: Frame, encoding: Encoding): Uint8Array | string {
  if (encoding === "text") return (frame.text ??= textOf(frame.bytes));
  return encoding === "deflated" ? (frame.deflated ??= deflated(frame.bytes)) : frame.bytes;
}

/** Sockets that hear the same. */
export interface Topic {
  readonly name: string;
  readonly encoding: Encoding;
  size: number;
  /** Waiting, oldest first. */
  urgent: Frame[];
  later: Frame[];
  /** The last of `later` has been published. */
  readonly onLaterDone: () => void;
  /** The turn in which it was last published to: more frames in the same one ride on the same write. */
  turn: number;
}

export interface Turns {
  /** @param isAnswer buyers wait for it: it waits for no rush */
  readonly urgent: (topic: Topic, frame: Frame, isAnswer?: boolean) => void;
  readonly later: (topic: Topic, frame: Frame) => void;
  /** Publishes all that waits for this topic, now: somebody is about to join or leave it. */
  readonly settle: (topic: Topic) => void;
  /** Calls back when what is published by now is with the kernel. */
  readonly afterTurn: (fn: () => void) => void;
  /** Urgent frames wait for their turn, or would. */
  readonly isUrgentWaiting: boolean;
  stop(): void;
}

export interface TurnPorts {
  /** Native publish; the library writes to the sockets when this turn of the loop ends. */
  readonly publish: (topic: Topic, message: Uint8Array | string) => void;
  /** Next turn of the loop. @returns what takes it back */
  readonly nextTurn: (fn: () => void) => () => void;
  /** Buyers wait for answers, now or within the next moment. */
  readonly isRush: () => boolean;
  /** The moment after which to ask again. @returns what takes it back */
  readonly afterMoment: (fn: () => void) => () => void;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** For so long what is published waits for buyers. */
const PATIENCE_MS = 150;

/** About 7 ms at 5 µs each. */
const SOCKETS_PER_TURN = 1500;

export function createTurns(ports: TurnPorts): Turns {
  const { publish, nextTurn, nowMs } = ports;
  const urgent = new Set<Topic>();
  const later = new Set<Topic>();
  let after: (() => void)[] = [];
  let cancel: (() => void) | undefined;
  let left = SOCKETS_PER_TURN;
  let turn = 0;
  /** There are answers among what is urgent. */
  let isAwaited = false;
  /** Since when it has been a rush without a break; undefined: there is none. */
  let rushSinceMs: number | undefined;

  const isTimeOfBuyers = (): boolean => {
    if (!ports.isRush()) {
      rushSinceMs = undefined;
      return false;
    }
    rushSinceMs ??= nowMs();
    return nowMs() - rushSinceMs < PATIENCE_MS;
  };
  const send = (topic: Topic, frames: readonly Frame[]): void => {
    if (topic.turn !== turn) left -= topic.size;
    topic.turn = turn;
    for (const frame of frames) publish(topic, messageOf(frame, topic.encoding));
  };
  const sendUrgent = (topic: Topic): void => {
    const frames = topic.urgent;
    urgent.delete(topic);
    topic.urgent = [];
    if (frames.length > 0) send(topic, frames);
  };
  const sendLater = (topic: Topic): void => {
    const frames = topic.later;
    if (!later.delete(topic)) return;
    topic.later = [];
    send(topic, frames);
    topic.onLaterDone();
  };
  const run = (): void => {
    if (!isAwaited && isTimeOfBuyers()) {
      cancel ??= ports.afterMoment(next);
      return;
    }
    for (const topic of urgent) {
      if (left <= 0) break;
      sendUrgent(topic);
    }
    if (urgent.size === 0) isAwaited = false;
    for (const topic of later) {
      if (left <= 0) break;
      sendLater(topic);
    }
    cancel ??= nextTurn(next);
  };
  const next = (): void => {
    cancel = undefined;
    turn++;
    left = SOCKETS_PER_TURN;
    const calls = after;
    after = [];
    for (const call of calls) call();
    if (urgent.size > 0 || later.size > 0 || after.length > 0) run();
  };

  return {
    urgent(topic, frame, isAnswer = false) {
      topic.urgent.push(frame);
      urgent.add(topic);
      if (isAnswer && !isAwaited) {
        isAwaited = true;
        // Not after the moment that what waits was to wait for.
        cancel?.();
        cancel = undefined;
      }
      run();
    },
    later(topic, frame) {
      topic.later.push(frame);
      later.add(topic);
      run();
    },
    settle(topic) {
      sendUrgent(topic);
      sendLater(topic);
    },
    afterTurn(fn) {
      after.push(fn);
      cancel ??= nextTurn(next);
    },
    get isUrgentWaiting() {
      return urgent.size > 0 || isTimeOfBuyers();
    },
    stop() {
      cancel?.();
      urgent.clear();
      later.clear();
      after = [];
    },
  };
}

/** A moment is long enough for some answers, and short enough for nobody to see. */
const MOMENT_MS = 2;

export const afterMoment = (fn: () => void): (() => void) => {
  const timer = setTimeout(fn, MOMENT_MS);
  return () => clearTimeout(timer);
};

/** The loop of this process. */
export const nextLoopTurn = (fn: () => void): (() => void) => {
  const immediate = setImmediate(fn);
  return () => clearImmediate(immediate);
};
