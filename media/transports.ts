/** A session's WebRTC transports: made on a worker's one port, closed when the browser gives no sign of life. */
import type { types } from "mediasoup";
import { called } from "./calls.ts";
import { MediaFault } from "./faults.ts";
import { MEDIA_LIMITS } from "./limits.ts";
import type { Place } from "./rooms.ts";
import type { Session, Sessions } from "./sessions.ts";

export type Way = "receiving" | "sending";

/** What a browser needs to make its end. */
const offer = (transport: types.WebRtcTransport): object => ({
  id: transport.id,
  iceParameters: transport.iceParameters,
  iceCandidates: transport.iceCandidates,
  dtlsParameters: transport.dtlsParameters,
});

/** Replaces the session's transport of this way. @throws MediaFault */
export async function makeTransport(
  session: Session,
  way: Way,
  { router, on }: Place,
  sessions: Pick<Sessions, "notify">,
): Promise<object> {
  session[way]?.close();
  session[way] = undefined;
  const transport = await called(
    router.createWebRtcTransport({
      webRtcServer: on.server,
      enableUdp: true,
      enableTcp: true,
      preferUdp: true,
      iceConsentTimeout: MEDIA_LIMITS.silentAfterMs / 1000,
      initialAvailableOutgoingBitrate: 1_500_000,
    }),
    { what: "make transport", late: (late) => late.close() },
  );
  if (session.closed) {
    transport.close();
    throw new MediaFault("notFound", "the session closed");
  }
  session[way] = transport;
  transport.observer.once("close", () => {
    if (session[way] === transport) session[way] = undefined;
  });
  const silent = (): void => {
    if (transport.closed) return;
    transport.close();
    sessions.notify(session, {
      event: "transportClosed",
      transportId: transport.id,
      why: "silent",
    });
  };
  transport.on("icestatechange", (state) => state === "disconnected" && silent());
  transport.on(
    "dtlsstatechange",
    (state) => (state === "failed" || state === "closed") && silent(),
  );
  return offer(transport);
}

/** Asked again with the same id (an answer was lost), it answers again. @throws MediaFault */
export async function connectTransport(
  session: Session,
  transportId: string,
  dtlsParameters: types.DtlsParameters,
): Promise<void> {
  const transport = [session.receiving, session.sending].find((one) => one?.id === transportId);
  if (transport === undefined)
    throw new MediaFault("notFound", "no such transport of this session");
  if (transport.appData["connected"] === true) return;
  await called(transport.connect({ dtlsParameters }), { what: "connect" });
  transport.appData["connected"] = true;
}
