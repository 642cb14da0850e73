/**
 * What the log tells in the place of answers. Of a marked "held" it must hold the order; of a marked "sold out" the event that answers taps,
 * after every order of its restock epoch: whoever has read the event knows whether a tap became one of them. [BUY11 I7]
 */
import type { Redis } from "ioredis";
import { decodeDown, type Order } from "#wire";
import { showKeys } from "../../server/redis/keys.ts";
import { readOrders } from "../../server/room/entries.ts";
import { readEntry } from "../../server/room/log.ts";
import type { Seen } from "./search.ts";
import type { Answer } from "./shop.ts";
import { isTap } from "./taps.ts";

/** An answer of which no frame is sent, since the log tells it. */
export interface Mark {
  readonly field: string;
  readonly dropId: string;
  readonly restockEpoch: number;
  readonly answer: Answer;
}

const isMarked = (answer: Answer): boolean =>
  answer.at(-1) === 1 && answer.length === (answer[0] === "held" ? 4 : 3);

export const marksIn = ({ deed, answers = [] }: Seen): Mark[] =>
  deed.what !== "batch"
    ? []
    : deed.requests.flatMap((request, i): Mark[] => {
        const answer = answers[i];
        if (answer === undefined || !isTap(request) || !isMarked(answer)) return [];
        const { viewerId, key, dropId, restockEpoch } = request;
        return [{ field: `${viewerId}|${key}`, dropId, restockEpoch, answer }];
      });

/** First and last words, and what became of taps. */
export const wordsOf = (seen: Seen): string[] => {
  const { deed, answers = [] } = seen;
  const requests = deed.what === "batch" ? deed.requests : [];
  return answers.flatMap((answer, i) => {
    const request = requests[i];
    const word = String(answer[0]);
    if (request === undefined || !isTap(request)) return [word, String(answer.at(-1))];
    const isLate = word === "soldOut" && Number(answer[1]) > request.restockEpoch;
    return [
      word,
      String(answer.at(-1)),
      `${word}${isMarked(answer) ? "Told" : isLate ? "Late" : "Tapped"}`,
    ];
  });
};

/**
 * @param answering drops whose "sold out" answers taps
 * @returns what is wrong, one sentence each
 */
export async function checkLog(
  redis: Redis,
  show: string,
  marks: readonly Mark[],
  answering: ReadonlySet<string>,
): Promise<string[]> {
  const log = readLog();
  for (const raw of await redis.xrangeBuffer(showKeys(show).log, "-", "+"))
    for (const [field, bytes] of readEntry(raw).fields) {
      if (field === "O") log.orders(readOrders(bytes));
      if (field === "S" || field === "R") log.frame(decodeDown(bytes));
    }
  const wrong = [...log.soldOut].filter(
    ([name, answers]) => answers !== answering.has(dropOf(name)),
  );
  return [
    ...log.faults,
    ...wrong.map(([name, answers]) => `"sold out" of ${name} says ${answers} of taps`),
    ...marks.flatMap(({ field, dropId, restockEpoch, answer }) => {
      const [word, deadlineMs, quantity] = answer;
      const isThere =
        word === "held"
          ? log.held.has(`${dropId} ${field} ${deadlineMs} ${quantity}`)
          : log.soldOut.get(`${dropId} ${restockEpoch}`) === true;
      return isThere ? [] : [`the log does not tell ${field}: ${answer.join(" ")}`];
    }),
  ];
}

const dropOf = (name: string): string => name.slice(0, name.indexOf(" "));

function readLog() {
  /** By `dropId restockEpoch`: whether it answers taps. */
  const soldOut = new Map<string, boolean>();
  const held = new Set<string>();
  const known = new Set<string>();
  const epochs = new Map<string, number>();
  const faults: string[] = [];
  return {
    soldOut,
    held,
    faults,
    frame(frame: ReturnType<typeof decodeDown>): void {
      if (frame.kind === "stockChanged") epochs.set(frame.dropId, frame.restockEpoch);
      if (frame.kind !== "dropSoldOut") return;
      const name = `${frame.dropId} ${frame.restockEpoch}`;
      if (soldOut.has(name)) faults.push(`"sold out" of ${name} is told twice`);
      soldOut.set(name, frame.answersTaps);
    },
    orders(orders: readonly (readonly [viewerId: string, order: Order])[]): void {
      for (const [viewerId, { holdId, dropId, state, ticket, deadlineMs, quantity }] of orders) {
        const field = `${viewerId}|${holdId}`;
        if (state === "held") held.add(`${dropId} ${field} ${deadlineMs} ${quantity}`);
        const isNew = state === "held" && ticket === 0 && !known.has(field);
        known.add(field);
        // Those in line may be served all the same.
        if (isNew && soldOut.has(`${dropId} ${epochs.get(dropId) ?? 0}`))
          faults.push(`${field} is held after "sold out"`);
      }
    },
  };
}
