/**
 * This viewer's side of the comments: own ones appear at once and stay until the room repeats them; a refusal gives the words
 * back with the reason; people this viewer does not want to read are left out, on this device only.
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { type Comment, type CommentAnswer, SdkFault } from "#sdk";
import { clock } from "../shared/figures.ts";
import type { Room } from "../shared/room.ts";
import { say } from "./words.ts";

export interface OwnLine {
  readonly id: number;
  readonly text: string;
  readonly afterNo: number;
}

export interface Talk {
  readonly shown: ReadonlySignal<readonly Comment[]>;
  /** Own comments that the room has not repeated yet. */
  readonly onTheirWay: ReadonlySignal<readonly OwnLine[]>;
  readonly draft: ReadonlySignal<string>;
  /** Why the last one was not sent; empty: nothing to say. */
  readonly refusal: ReadonlySignal<string>;
  write(text: string): void;
  send(): void;
  hide(viewerId: string): void;
  unhide(viewerId: string): void;
}

const REFUSAL_SHOWN_MS = 5000;
const ECHO_WITHIN_MS = 10_000;

export function createTalk(room: Room): Talk {
  const hiddenUnder = `dropcast.hidden.${room.show}`;
  const hidden = signal<ReadonlySet<string>>(
    new Set(JSON.parse(localStorage.getItem(hiddenUnder) ?? "[]") as string[]),
  );
  const sent = signal<readonly OwnLine[]>([]);
  const draft = signal("");
  const refusal = signal("");
  let nextId = 1;
  let refusalTimer: ReturnType<typeof setTimeout> | undefined;

  const keepHidden = (people: ReadonlySet<string>): void => {
    hidden.value = people;
    localStorage.setItem(hiddenUnder, JSON.stringify([...people]));
  };
  const forget = (line: OwnLine): void => {
    sent.value = sent.value.filter((other) => other !== line);
  };
  // Once the room has repeated it, it is the room's: should it be deleted there, it must not come back here.
  room.comments.subscribe((comments) => {
    const isRepeated = (line: OwnLine): boolean =>
      comments.some(
        ({ no, viewerId, text }) => viewerId === room.me && no > line.afterNo && text === line.text,
      );
    const waiting = sent.peek().filter((line) => !isRepeated(line));
    if (waiting.length < sent.peek().length) sent.value = waiting;
  });
  const refuse = (line: OwnLine, why: string): void => {
    forget(line);
    if (draft.value === "") draft.value = line.text;
    refusal.value = why;
    clearTimeout(refusalTimer);
    refusalTimer = setTimeout(() => (refusal.value = ""), REFUSAL_SHOWN_MS);
  };

  const deliver = async (line: OwnLine): Promise<void> => {
    try {
      const answer = await room.live.comment(line.text);
      if (answer.result === "accepted") setTimeout(() => forget(line), ECHO_WITHIN_MS);
      else refuse(line, refusalWords(answer, room));
    } catch (fault) {
      if (!(fault instanceof SdkFault)) throw fault;
      refuse(line, say("commentLost"));
    }
  };

  return {
    shown: computed(() =>
      room.comments.value.filter((comment) => !hidden.value.has(comment.viewerId)),
    ),
    onTheirWay: sent,
    draft,
    refusal,
    write: (text) => {
      draft.value = text;
      if (refusal.value !== "") refusal.value = "";
    },
    send: () => {
      const text = draft.value.trim();
      if (text === "") return;
      const line: OwnLine = { id: nextId++, text, afterNo: room.comments.value.at(-1)?.no ?? 0 };
      sent.value = [...sent.value, line];
      draft.value = "";
      refusal.value = "";
      void deliver(line);
    },
    hide: (viewerId) => keepHidden(new Set([...hidden.value, viewerId])),
    unhide: (viewerId) =>
      keepHidden(new Set([...hidden.value].filter((person) => person !== viewerId))),
  };
}

function refusalWords(answer: CommentAnswer, room: Room): string {
  if (answer.result === "tooFast")
    return say("commentTooFast", { n: Math.max(1, Math.ceil(answer.retryAfterMs / 1000)) });
  if (answer.result === "muted") {
    const leftMs = answer.retryAfterMs || room.mutedUntilMs.value - room.nowMs.value;
    return say("commentMuted", { clock: clock(leftMs) });
  }
  return say("commentBlocked");
}
