/** Ties a mediasoup-client transport to the port: its `connect` as a signal, and word of its loss, once. */
import type { types } from "mediasoup-client";
import { ask, type SignalPort } from "./port.ts";

/** "disconnected" often heals by itself. */
const HEALS_WITHIN_MS = 3000;

/** Answers an event that wants callbacks with a promise's outcome. */
export async function hand<T>(
  work: Promise<T>,
  done: (value: T) => void,
  failed: (error: Error) => void,
): Promise<void> {
  let value: T;
  try {
    value = await work;
  } catch (error) {
    return failed(error instanceof Error ? error : new Error(String(error)));
  }
  done(value);
}

export interface WiredPorts {
  readonly port: SignalPort;
  /** Called with what was sent, so that it can be sent again. */
  readonly onConnect?: (dtlsParameters: types.DtlsParameters) => void;
  /** The way to the media side is gone: a new transport is needed. Not called after `close`. */
  readonly onLost: () => void;
}

export function wired(
  transport: types.Transport,
  { port, onConnect, onLost }: WiredPorts,
): types.Transport {
  let timer: ReturnType<typeof setTimeout> | undefined;
  transport.observer.once("close", () => clearTimeout(timer));
  transport.on("connect", ({ dtlsParameters }, done, failed) => {
    onConnect?.(dtlsParameters);
    void hand(
      ask(port, "connect", { transportId: transport.id, dtlsParameters }),
      () => done(),
      failed,
    );
  });
  transport.on("connectionstatechange", (state) => {
    clearTimeout(timer);
    if (transport.closed) return;
    if (state === "failed") onLost();
    if (state === "disconnected") timer = setTimeout(onLost, HEALS_WITHIN_MS);
  });
  return transport;
}
