/**
 * One node's requests to the inventory, gathered per show: at most four batches in flight, up to 256 requests in each. What has
 * become needless while it waited (the drop sold out) is answered here, and never sent.
 * An answer can be remembered wrongly by nobody: a batch that failed is asked again with the same keys by its clients.
 */
import { createGather, type Gather, type Waiting } from "../gather.ts";
import type { DropAnswer, DropRequest, Inventory } from "./inventory.ts";

const MAX_BATCH = 256;
/**
 * Requests under way at a time: four full batches, with smaller ones more of them. Redis syncs its file once for all that came
 * while it synced before, so on a slow disk more of them share the wait; larger batches would only keep other shows waiting.
 */
const MAX_UNDER_WAY = 1024;

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
  { maxBatch = MAX_BATCH }: { readonly maxBatch?: number } = {},
): Batches {
  const lanes = new Map<string, Gather<DropRequest, DropAnswer>>();
  const sent = { batches: 0, requests: 0 };
  const laneOf = (show: string): Gather<DropRequest, DropAnswer> => {
    let lane = lanes.get(show);
    if (lane === undefined) {
      lane = createGather<DropRequest, DropAnswer>({
        maxBatch,
        maxInFlight: Math.ceil(MAX_UNDER_WAY / maxBatch),
        everyMs: 0,
        send(requests) {
          sent.batches++;
          sent.requests += requests.length;
          return decide(show, requests);
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
