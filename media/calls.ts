/**
 * A call to a worker, under a deadline, failing only as a `MediaFault`. What a call that was given up on still brings
 * is handed to `late`, so that nothing made by a slow worker is left behind.
 */
import { errors } from "mediasoup";
import { MediaFault } from "./faults.ts";
import { MEDIA_LIMITS } from "./limits.ts";

interface Call<T> {
  /** For the reason: "create transport". */
  readonly what: string;
  readonly late?: (value: T) => void;
  readonly deadlineMs?: number;
}

const faultOf = (what: string, error: unknown): MediaFault => {
  if (error instanceof MediaFault) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof errors.WorkerClosedError)
    return new MediaFault("mediaDown", `${what}: the worker is gone`, error);
  // A router, transport or producer that closed while the call was on its way.
  if (error instanceof errors.NotFoundError)
    return new MediaFault("notFound", `${what}: ${reason}`, error);
  // mediasoup's own checks, and what a worker refuses.
  return new MediaFault("badRequest", `${what}: ${reason}`, error);
};

/** @throws MediaFault */
export async function called<T>(
  work: Promise<T>,
  { what, late, deadlineMs = MEDIA_LIMITS.workerCallMs }: Call<T>,
): Promise<T> {
  let given = false;
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    given = true;
    reject(new MediaFault("timeout", `${what}: no answer within ${deadlineMs} ms`));
  }, deadlineMs);
  const tidied = work.then((value) => {
    if (given) late?.(value);
    return value;
  });
  try {
    return await Promise.race([tidied, promise]);
  } catch (error) {
    throw faultOf(what, error);
  } finally {
    clearTimeout(timer);
    // A rejection after the deadline has nobody left to tell.
    if (given) tidied.catch(() => undefined);
  }
}
