/**
 * Gathers single requests into batches for one call: what arrives while `maxInFlight` batches are under way goes into the
 * next. With `everyMs` 0 there is no timer and no window: an idle lane answers a lone request at once, a rush fills batches
 * by itself. Cost per request: one queue entry and one promise.
 */
export interface Gather<T, A> {
  /** Requests are sent in the order of these calls. Rejects with whatever the batch's call failed with. */
  readonly ask: (request: T) => Promise<A>;
  readonly waiting: number;
  /** Nothing waits and nothing is under way. */
  readonly idle: boolean;
}

export interface GatherPorts<T, A> {
  readonly maxBatch: number;
  readonly maxInFlight: number;
  /** Least time between two batches of this lane. */
  readonly everyMs: number;
  /** One answer per request, in order. */
  readonly send: (requests: readonly T[]) => Promise<readonly A[]>;
}

interface Waiting<T, A> {
  readonly request: T;
  readonly resolve: (answer: A) => void;
  readonly reject: (fault: unknown) => void;
}

export function createGather<T, A>(ports: GatherPorts<T, A>): Gather<T, A> {
  const { maxBatch, maxInFlight, everyMs, send } = ports;
  let queue: Waiting<T, A>[] = [];
  let inFlight = 0;
  let scheduled = false;
  let lastMs = -everyMs;

  const flush = async (): Promise<void> => {
    scheduled = false;
    const batch = queue.splice(0, maxBatch);
    lastMs = performance.now();
    inFlight++;
    schedule();
    try {
      const answers = await send(batch.map((w) => w.request));
      batch.forEach((w, i) => w.resolve(answers[i] as A));
    } catch (fault) {
      for (const w of batch) w.reject(fault);
    } finally {
      inFlight--;
      schedule();
    }
  };
  const schedule = (): void => {
    if (scheduled || queue.length === 0 || inFlight >= maxInFlight) return;
    scheduled = true;
    const waitMs = everyMs === 0 ? 0 : lastMs + everyMs - performance.now();
    // setImmediate: after the sockets of this loop turn have been read, so that they share a batch.
    if (waitMs > 0) setTimeout(() => void flush(), waitMs);
    else setImmediate(() => void flush());
  };
  return {
    ask(request) {
      const { promise, resolve, reject } = Promise.withResolvers<A>();
      queue.push({ request, resolve, reject });
      schedule();
      return promise;
    },
    get waiting() {
      return queue.length;
    },
    get idle() {
      return queue.length === 0 && inFlight === 0;
    },
  };
}
