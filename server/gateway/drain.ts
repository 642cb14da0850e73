/**
 * Empties a gateway that is going away. First it stops listening, so that no new connection can come back to it where several
 * gateways share the port. Then it asks its viewers to move on, a slice at a time, evenly over `drainMs`, so that the next gateway is
 * not stormed. Each viewer is served here until the next gateway has let it in; who has not gone by then is told "resume now".
 */
import type { Session } from "./session.ts";
import type { SocketServer } from "./socket.ts";

const SLICE_MS = 50;
/** For the last ones to have been let in elsewhere. */
const AFTER_MS = 2000;

export async function drain(
  sockets: SocketServer,
  sessions: ReadonlySet<Session>,
  drainMs: number,
): Promise<void> {
  sockets.stopListening();
  for (const session of sessions) if (session.stage !== "joined") session.close("draining");
  const staying = [...sessions];
  const startedMs = performance.now();
  const untilMs = startedMs + drainMs + AFTER_MS;
  let asked = 0;
  while (sessions.size > 0 && performance.now() < untilMs) {
    const share = Math.min(1, (performance.now() - startedMs + SLICE_MS) / (drainMs + SLICE_MS));
    for (const due = Math.ceil(share * staying.length); asked < due; asked++)
      if (staying[asked]?.stage === "joined") staying[asked]?.send("goaway", { delayMs: SLICE_MS });
    await new Promise((resolve) => setTimeout(resolve, SLICE_MS));
  }
  for (const session of sessions) session.close("draining");
  sockets.close();
}
