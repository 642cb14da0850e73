/**
 * From the address to the room: config, token, connection. A token is kept per show, so a reload is the same viewer with the
 * same holds. A server out of reach is tried again, each time after twice the wait; a full one when it says, without a reload; refusals
 * wait for the person.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { connect, preloadVideo, SdkFault } from "#sdk";
import { ApiRefusal, ask, realtimeUrl, ServerAway, showInAddress } from "../shared/http.ts";
import { createRoom, type Room } from "../shared/room.ts";

export type Entry =
  | { readonly step: "joining" }
  | { readonly step: "in"; readonly room: Room }
  | { readonly step: "away"; readonly againAtMs: number }
  /** At the door of a full server: it is asked again by itself. About so many wait, this one included. */
  | { readonly step: "waiting"; readonly againAtMs: number; readonly waiting: number }
  | { readonly step: "noShow" | "refused" | "removed" }
  | { readonly step: "full"; readonly words: string };

interface Ticket {
  readonly token: string;
  readonly viewerId: string;
  readonly name: string;
  readonly expiresAtMs: number;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
/** A ticket this close to its end is exchanged before it is used. */
const TICKET_REST_MS = 60_000;
const CLOSED_BAD_TOKEN = 4010;
const CLOSED_NO_SHOW = 4012;
const CLOSED_REMOVED = 4013;

const show = showInAddress();
const storedUnder = `dropcast.ticket.${show}`;
const current = signal<Entry>({ step: "joining" });
export const entry: ReadonlySignal<Entry> = current;

let waitMs = FIRST_WAIT_MS;
let againTimer: ReturnType<typeof setTimeout> | undefined;

/** Starts, or starts over; with `anew` as somebody new. */
export async function enter(anew = false): Promise<void> {
  clearTimeout(againTimer);
  if (anew) localStorage.removeItem(storedUnder);
  if (current.value.step !== "away") current.value = { step: "joining" };
  try {
    const room = await join();
    waitMs = FIRST_WAIT_MS;
    current.value = { step: "in", room };
  } catch (fault) {
    current.value = afterFault(fault);
  }
}

async function join(): Promise<Room> {
  preloadVideo();
  // Once before connecting: the SDK takes any failure to get a token for a lost network, and tries for ever.
  const [url] = await Promise.all([realtimeUrl(), ticketToken()]);
  const live = await connect({
    url,
    show,
    token: ticketToken,
    onFull: ({ delayMs, waiting }) => {
      if (current.value.step !== "in")
        current.value = { step: "waiting", againAtMs: Date.now() + delayMs, waiting };
    },
  });
  live.on("connectionChanged", ({ connection, closeCode }) => {
    if (connection === "closed" && closeCode !== undefined) current.value = afterClose(closeCode);
  });
  return createRoom(live, show);
}

async function ticketToken(): Promise<string> {
  const kept = readTicket();
  if (kept !== undefined) return kept.token;
  const ticket = await ask<Ticket>(`/v1/shows/${encodeURIComponent(show)}/tokens`, {
    method: "POST",
    body: { role: "viewer" },
  });
  localStorage.setItem(storedUnder, JSON.stringify(ticket));
  return ticket.token;
}

function readTicket(): Ticket | undefined {
  const text = localStorage.getItem(storedUnder);
  if (text === null) return undefined;
  const ticket = JSON.parse(text) as Ticket;
  return ticket.expiresAtMs - Date.now() > TICKET_REST_MS ? ticket : undefined;
}

function afterFault(fault: unknown): Entry {
  if (fault instanceof ApiRefusal) {
    if (fault.status === 404) return { step: "noShow" };
    return { step: "full", words: fault.words };
  }
  if (fault instanceof SdkFault && !fault.retryable) return afterClose(closeCodeOf(fault));
  if (fault instanceof ServerAway || fault instanceof SdkFault) return tryAgainLater();
  throw fault;
}

function tryAgainLater(): Entry {
  againTimer = setTimeout(() => void enter(), waitMs);
  const againAtMs = Date.now() + waitMs;
  waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  return { step: "away", againAtMs };
}

function afterClose(closeCode: number): Entry {
  if (closeCode === CLOSED_NO_SHOW) return { step: "noShow" };
  if (closeCode === CLOSED_REMOVED) return { step: "removed" };
  if (closeCode === CLOSED_BAD_TOKEN) localStorage.removeItem(storedUnder);
  return { step: "refused" };
}

/** The SDK puts the close code into its message. */
const closeCodeOf = (fault: SdkFault): number => Number(/\b4\d{3}\b/.exec(fault.message)?.[0] ?? 0);
