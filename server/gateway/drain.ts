/**
 * Empties a gateway that is going away: no new sockets, everybody is asked to move on within `drainMs` (each draws its own
 * moment, so the next gateway is not stormed), the rest is closed with "resume now".
 */
import type { Session } from "./session.ts";
import type { SocketServer } from "./socket.ts";

const LOOK_EVERY_MS = 50;
/** For the last ones to have gone by themselves. */
const AFTER_MS = 300;

export async function drain(
  sockets: SocketServer,
  sessions: ReadonlySet<Session>,
  drainMs: number,
): Promise<void> {
  sockets.stopListening();
  for (const session of sessions)
    if (session.stage === "joined") session.send("goaway", { delayMs: drainMs });
    else session.close("draining");
  const untilMs = performance.now() + drainMs + AFTER_MS;
  while (sessions.size > 0 && performance.now() < untilMs)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  for (const session of sessions) session.close("draining");
  sockets.close();
}
