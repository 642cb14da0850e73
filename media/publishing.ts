/** The host's side of a session: its sending transport and at most one producer a kind. The latest host to produce is on air. */
import type { types } from "mediasoup";
import { called } from "./calls.ts";
import { browserCapabilities } from "./codecs.ts";
import { MediaFault } from "./faults.ts";
import { MEDIA_LIMITS } from "./limits.ts";
import type { Room } from "./rooms.ts";
import type { Session, Sessions } from "./sessions.ts";
import { makeTransport } from "./transports.ts";

/** @throws MediaFault */
export async function publish(session: Session, room: Room, sessions: Sessions): Promise<object> {
  const place = await room.origin();
  const transport = await makeTransport(session, "sending", place, sessions);
  return { rtpCapabilities: browserCapabilities(place.router), transport };
}

export interface Produce {
  readonly transportId: string;
  readonly kind: types.MediaKind;
  readonly rtpParameters: types.RtpParameters;
  readonly source?: string | undefined;
}

/** A second producer of a kind takes the first one's place. @throws MediaFault */
export async function produce(
  session: Session,
  room: Room,
  { transportId, kind, rtpParameters, source }: Produce,
): Promise<object> {
  const transport = session.sending;
  if (transport === undefined || transport.id !== transportId)
    throw new MediaFault("notFound", "no such transport of this session");
  session.producers.get(kind)?.close();
  const producer = await called(
    transport.produce({
      kind,
      rtpParameters,
      appData: { source: source ?? kind },
      ...(kind === "video" && { keyFrameRequestDelay: MEDIA_LIMITS.keyFrameRequestDelayMs }),
    }),
    { what: "produce", late: (late) => late.close() },
  );
  if (producer.closed || transport.closed) {
    producer.close();
    throw new MediaFault("notFound", "the transport closed meanwhile");
  }
  session.producers.set(kind, producer);
  producer.observer.once("close", () => {
    if (session.producers.get(kind) === producer) session.producers.delete(kind);
  });
  room.air(producer, session.source);
  return { producerId: producer.id };
}
