/**
 * One node's requests to the inventory, gathered per show: up to 256 in a batch, and in a rush up to four batches in one transaction,
 * at most two of them in flight. What has become needless while it waited (the drop sold out) is answered here, and never sent.
 * An answer can be remembered wrongly by nobody: a batch that failed is asked again with the same keys by its clients.
 */
import { createGather, type Gather, type Waiting } from "../gather.ts";
import { type DropAnswer, type DropRequest, type Inventory, MAX_PER_CALL } from "./inventory.ts";

/**
 * Batches that travel together share one sync of Redis's file, which on a slow disk takes longer than deciding them: 1.1 times the
 * holds per second where it takes 0.3 ms, 1.9 times at 2.3 ms (measured). More of them would only keep other shows waiting.
 */
const TOGETHER = 4;
/** Requests under way at a time: two full transactions, with smaller batches more of them. */
const MAX_UNDER_WAY = 2048;

/** One request, and who waits for its answer. */
export type Asking = Waiting<DropRequest, DropAnswer>;

export interface Batches {
  /** Decides one request; requests of one show are decided in the order of these calls. */
  ask(show: string, request: DropRequest): Promise<DropAnswer>;
  /** The same without a promise. */
  enter(show: string, asking: Asking): void;
  /** Requests that wait for a batch, over all shows. */
  readonly waiting: number;
  /** Since the start. */
  readonly sent: { readonly batches: number; readonly requests: number };
}

export function createBatches(
  decide: Inventory["decide"],
  { maxBatch = MAX_PER_CALL }: { readonly maxBatch?: number } = {},
): Batches {
  const lanes = new Map<string, Gather<DropRequest, DropAnswer>>();
  const sent = { batches: 0, requests: 0 };
  // Who wants no batches wants every purchase by itself.
  const most = maxBatch === 1 ? 1 : maxBatch * TOGETHER;
  const laneOf = (show: string): Gather<DropRequest, DropAnswer> => {
    let lane = lanes.get(show);
    if (lane === undefined) {
      lane = createGather<DropRequest, DropAnswer>({
        maxBatch: most,
        enough: maxBatch,
        maxInFlight: Math.ceil(MAX_UNDER_WAY / most),
        everyMs: 0,
        send(requests) {
          sent.batches += Math.ceil(requests.length / maxBatch);
          sent.requests += requests.length;
          return decide(show, requests, maxBatch);
        },
      });
      lanes.set(show, lane);
    }
    return lane;
  };
  return {
    ask: (show, request) => laneOf(show).ask(request),
    enter: (show, asking) => laneOf(show).enter(asking),
    get waiting() {
      return [...lanes.values()].reduce((n, lane) => n + lane.waiting, 0);
    },
    sent,
  };
}
