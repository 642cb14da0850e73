/**
 * A batch of requests as decide.lua reads it: plain holds of one drop and quantity that follow each other are one run, so that what they
 * have in common is decided, written and told once. Cost of a hold: two short strings.
 */
import { packValue } from "#wire/server";
import type { DropRequest } from "./inventory.ts";

/** Requests about a drop or a coupon; the others are about a payment. */
const NAMES_A_SUBJECT: ReadonlySet<string> = new Set(["hold", "wait", "claim", "reapply"]);

export function packRequests(requests: readonly DropRequest[]): Buffer {
  const batch: unknown[] = [];
  let run: Run | undefined;
  for (const request of requests) {
    if (request.what !== "hold" || (request.coupons?.length ?? 0) > 0) {
      run = undefined;
      batch.push(single(request));
      continue;
    }
    if (run === undefined || !isOf(run, request)) batch.push((run = runOf(request)));
    const { viewerId, key, dropId, admitted = OPEN } = request;
    if (admitted.flags !== "") addFlags(run, admitted.flags);
    run[3].push(`${viewerId}|${key}`);
    run[4].push(`${dropId}|${viewerId}`);
  }
  return packValue(batch);
}

type Run = [
  ...[word: "holds", dropId: string, quantity: number, fields: string[], counted: string[]],
  ...[level: number, flags: string[], restockEpoch: number],
];

/** Of a hold that stands for whatever there is when it is decided. */
const ANY_EPOCH = -1;

const OPEN = { level: 0, flags: "" };

const runOf = (request: DropRequest): Run => {
  const { dropId, quantity, admitted = OPEN, restockEpoch = ANY_EPOCH } = request;
  return ["holds", dropId, quantity, [], [], admitted.level, [], restockEpoch];
};

const isOf = (run: Run, request: DropRequest): boolean => {
  const { dropId, quantity, admitted = OPEN, restockEpoch = ANY_EPOCH } = request;
  return (
    run[1] === dropId && run[2] === quantity && run[5] === admitted.level && run[7] === restockEpoch
  );
};

/** Of the run's next hold; those before it that had none are filled up. */
function addFlags(run: Run, flags: string): void {
  while (run[6].length < run[3].length) run[6].push("");
  run[6].push(flags);
}

function single({ what, viewerId, key, dropId, ...r }: DropRequest): unknown[] {
  const subject = NAMES_A_SUBJECT.has(what) ? dropId : (r.intentId ?? "");
  const request = [what, viewerId, key, subject, what === "claim" ? key : r.quantity];
  if (r.admitted !== undefined)
    return [...request, r.coupons ?? [], r.admitted.level, r.admitted.flags];
  if (r.before === undefined) return [...request, r.coupons ?? []];
  return [...request, r.coupons ?? [], r.before.deadlineMs, r.before.wasTold ? 1 : 0];
}
