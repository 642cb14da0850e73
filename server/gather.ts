/**
 * Gathers single requests into batches for one call: what arrives while `maxInFlight` batches are under way goes into the
 * next. With `everyMs` 0 there is no timer and no window: an idle lane answers a lone request at once, a rush fills batches
 * by itself. Cost per request: one queue entry, and with `ask` one promise.
 */
export interface Gather<T, A> {
  /** Requests are sent in the order of these calls. Rejects with whatever the batch's call failed with. */
  readonly ask: (request: T) => Promise<A>;
  /** The same without a promise, for hot paths: the request itself hears what became of it. */
  readonly enter: (waiting: Waiting<T, A>) => void;
  readonly waiting: number;
  /** Nothing waits and nothing is under way. */
  readonly idle: boolean;
}

export interface GatherPorts<T, A> {
  readonly maxBatch: number;
  /** So many wait for nobody while nothing is under way: they leave at once. Default `maxBatch`. */
  readonly enough?: number;
  readonly maxInFlight: number;
  /** Least time between two batches of this lane. */
  readonly everyMs: number;
  /** One answer per request, in order. */
  readonly send: (requests: readonly T[]) => Promise<readonly A[]>;
}

/** A request, and who waits for its answer. None of the three may throw. */
export interface Waiting<T, A> {
  readonly request: T;
  resolve(answer: A): void;
  reject(fault: unknown): void;
  /** Asked when its turn comes: what can be answered by now without sending is not sent. */
  here?(): A | undefined;
}

/** Places of the queue that may stand empty before it is tidied. */
const KEPT = 4096;

export function createGather<T, A>(ports: GatherPorts<T, A>): Gather<T, A> {
  const { maxBatch, enough = maxBatch, maxInFlight, everyMs, send } = ports;
  const queue: Waiting<T, A>[] = [];
  /** Of the queue: before it stands what has been taken out. */
  let next = 0;
  let inFlight = 0;
  let scheduled = false;
  let lastMs = -everyMs;

  /** The next batch, without what needs none. */
  const take = (): Waiting<T, A>[] => {
    const batch: Waiting<T, A>[] = [];
    while (batch.length < maxBatch && next < queue.length) {
      const waiting = queue[next++] as Waiting<T, A>;
      const answer = waiting.here?.();
      if (answer === undefined) batch.push(waiting);
      else waiting.resolve(answer);
    }
    // In one go, and not for every batch: a rush leaves thousands here.
    if (next === queue.length || next > KEPT) {
      queue.splice(0, next);
      next = 0;
    }
    return batch;
  };
  const isRoom = (): boolean => next < queue.length && inFlight < maxInFlight;
  const goesOn = (): boolean => everyMs === 0 && isRoom();
  /** One batch, and with no time to keep between them all that may go. */
  const flush = (): void => {
    do {
      const batch = take();
      if (batch.length > 0) void carry(batch);
    } while (goesOn());
    schedule();
  };
  const carry = async (batch: Waiting<T, A>[]): Promise<void> => {
    lastMs = performance.now();
    inFlight++;
    let answers: readonly A[];
    try {
      answers = await send(batch.map((w) => w.request));
    } catch (fault) {
      for (const w of batch) w.reject(fault);
      return;
    } finally {
      inFlight--;
      schedule();
    }
    for (let i = 0; i < batch.length; i++) batch[i]?.resolve(answers[i] as A);
  };
  const schedule = (): void => {
    if (scheduled || !isRoom()) return;
    scheduled = true;
    const waitMs = everyMs === 0 ? 0 : lastMs + everyMs - performance.now();
    // setImmediate: after the sockets of this loop turn have been read, so that they share a batch.
    const due = (): void => {
      scheduled = false;
      flush();
    };
    if (waitMs > 0) setTimeout(due, waitMs);
    else setImmediate(due);
  };
  const enter = (one: Waiting<T, A>): void => {
    queue.push(one);
    // A turn of a loop that reads thousands of sockets is long.
    const leaveAtOnce = inFlight === 0 ? enough : maxBatch;
    if (everyMs === 0 && queue.length - next >= leaveAtOnce && inFlight < maxInFlight) flush();
    else schedule();
  };
  return {
    ask(request) {
      const { promise, resolve, reject } = Promise.withResolvers<A>();
      enter({ request, resolve, reject });
      return promise;
    },
    enter,
    get waiting() {
      return queue.length - next;
    },
    get idle() {
      return next === queue.length && inFlight === 0;
    },
  };
}
