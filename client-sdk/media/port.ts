/**
 * What the video part needs of the rest of the SDK: signals with answers, notices, and word of a reconnect. A port's
 * `signal` rejects when the media side refuses or cannot be reached.
 */
import type { SignalName } from "#wire";
import type { MediaNotice } from "./notices.ts";

export interface SignalPort {
  signal(name: SignalName, body: object): Promise<unknown>;
  /** Bodies of `mediaChanged` frames, parsed. @returns what ends it */
  onNotify(listener: (body: unknown) => void): () => void;
  /** The socket was lost and is back: notices may have been missed. @returns what ends it */
  onRejoined(listener: () => void): () => void;
}

const ANSWER_MS = 10_000;

/** A signal whose answer comes within 10 s, or never counts. */
export async function ask<T>(
  port: SignalPort,
  ...[name, body]: Parameters<SignalPort["signal"]>
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${name}: no answer within ${ANSWER_MS} ms`)),
    ANSWER_MS,
  );
  try {
    return (await Promise.race([port.signal(name, body), promise])) as T;
  } finally {
    clearTimeout(timer);
  }
}

/** The notices this version knows; others are for later ones. */
export const asNotice = (body: unknown): MediaNotice | undefined => {
  if (typeof body !== "object" || body === null || !("event" in body)) return undefined;
  const { event } = body;
  return event === "producersChanged" || event === "rebuilt" || event === "transportClosed"
    ? (body as MediaNotice)
    : undefined;
};
