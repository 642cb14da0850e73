/**
 * Taps: holds whose answer may ride on what the log tells anyway, and then says so by a 1 behind it. Which of a batch's answers do is
 * known at its end. Part of the model; see rules.ts. [BUY11 BUY12]
 */
import { decide } from "./rules.ts";
import { type Answer, type Drop, type Request, type Shop } from "./shop.ts";

type Hold = Extract<Request, { what: "hold" }>;
export type Tap = Hold & { readonly restockEpoch: number };

export const isTap = (request: Request): request is Tap =>
  request.what === "hold" && request.restockEpoch !== undefined;

/** Where holds wait for replicas, or a draw may leave nothing, "sold out" is no answer to those who tapped. */
export const answersTaps = ({ mode, isReplica }: Pick<Drop, "mode" | "isReplica">): boolean =>
  mode === "fcfs" && !isReplica;

/** Holds that follow each other and want the same are decided in one go. */
function isLike(one: Request | undefined, other: Request): boolean {
  const [a, b] = [one, other].map((request) =>
    request?.what === "hold" && request.coupons.length === 0
      ? [request.dropId, request.quantity, request.admitted?.level ?? 0, request.restockEpoch]
      : undefined,
  );
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

/** One batch, each request in its turn. */
export function decideAll(shop: Shop, requests: readonly Request[], nowMs: number): Answer[] {
  /** Holds that were not there before, with the run that they came in. */
  const newIn = new Map<string, number>();
  let run = 0;
  const answered = requests.map((request, i) => {
    if (!isLike(requests[i - 1], request)) run++;
    if (!isTap(request)) return { answer: decide(shop, request, nowMs), isTold: () => false };
    const field = `${request.viewerId}|${request.key}`;
    const isNew = !(field in shop.holds);
    const answer = decide(shop, request, nowMs);
    const drop = shop.drops[request.dropId];
    const { restockEpoch } = request;
    if (isNew && answer[0] === "held") newIn.set(field, run);
    const isOfOrder = newIn.get(field) === run;
    const isOfEvent = isNew && answer[0] === "soldOut" && answer[1] === restockEpoch;
    const isTold = (): boolean =>
      drop !== undefined &&
      answersTaps(drop) &&
      (isOfOrder || (isOfEvent && drop.state === "soldOut" && drop.epoch === restockEpoch));
    return { answer, isTold };
  });
  return answered.map(({ answer, isTold }) => (isTold() ? [...answer, 1] : answer));
}
