/**
 * One node's requests to the inventory, gathered per show: at most two batches in flight, up to 256 requests in each.
 * An answer can be remembered wrongly by nobody: a batch that failed is asked again with the same keys by its clients.
 */
import { createGather, type Gather } from "../gather.ts";
import type { DropAnswer, DropRequest, Inventory } from "./inventory.ts";

const MAX_IN_FLIGHT = 2;
const MAX_BATCH = 256;

export interface Batches {
  /** Decides one request; requests of one show are decided in the order of these calls. */
  ask(show: string, request: DropRequest): Promise<DropAnswer>;
  /** Requests that wait for a batch, over all shows. */
  readonly waiting: number;
  /** Since the start. */
  readonly sent: { readonly batches: number; readonly requests: number };
}

/** @param decided called between Redis's decision and the answers: where fault tests kill the process */
export function createBatches(
  decide: Inventory["decide"],
  decided: (requests: readonly DropRequest[]) => void = () => undefined,
): Batches {
  const lanes = new Map<string, Gather<DropRequest, DropAnswer>>();
  const sent = { batches: 0, requests: 0 };
  const laneOf = (show: string): Gather<DropRequest, DropAnswer> => {
    let lane = lanes.get(show);
    if (lane === undefined) {
      lane = createGather<DropRequest, DropAnswer>({
        maxBatch: MAX_BATCH,
        maxInFlight: MAX_IN_FLIGHT,
        everyMs: 0,
        send: async (requests) => {
          sent.batches++;
          sent.requests += requests.length;
          const answers = await decide(show, requests);
          decided(requests);
          return answers;
        },
      });
      lanes.set(show, lane);
    }
    return lane;
  };
  return {
    ask: (show, request) => laneOf(show).ask(request),
    get waiting() {
      return [...lanes.values()].reduce((n, lane) => n + lane.waiting, 0);
    },
    sent,
  };
}
