/** The viewer's side of a session: its receiving transport and its consumers, which start paused. */
import type { types } from "mediasoup";
import { called } from "./calls.ts";
import { browserCapabilities } from "./codecs.ts";
import { MediaFault } from "./faults.ts";
import { MEDIA_LIMITS } from "./limits.ts";
import type { Place, Room } from "./rooms.ts";
import type { Session, Sessions } from "./sessions.ts";
import { makeTransport } from "./transports.ts";

/** @throws MediaFault mediaBusy above the CPU bound */
export async function watch(session: Session, room: Room, sessions: Sessions): Promise<object> {
  const place = await room.edge();
  if (place.on.cpu > MEDIA_LIMITS.closedAtCpu)
    throw new MediaFault("mediaBusy", `worker at ${Math.round(place.on.cpu * 100)} % CPU`);
  const transport = await makeTransport(session, "receiving", place, sessions);
  return { rtpCapabilities: browserCapabilities(place.router), transport };
}

const consumeOne = async (
  session: Session,
  transport: types.WebRtcTransport,
  { on }: Place,
  options: types.ConsumerOptions,
): Promise<types.Consumer> => {
  const consumer = await called(transport.consume({ ...options, paused: true }), {
    what: "consume",
    late: (late) => late.close(),
  });
  if (consumer.closed || transport.closed) {
    consumer.close();
    throw new MediaFault("notFound", "the transport or the producer closed meanwhile");
  }
  session.consumers.set(consumer.id, consumer);
  on.consumers++;
  consumer.observer.once("close", () => {
    session.consumers.delete(consumer.id);
    on.consumers--;
  });
  return consumer;
};

/** Consumers for what this session does not consume yet, its own producers aside. Empty: nobody is on air. @throws MediaFault */
export async function consume(
  session: Session,
  room: Room,
  rtpCapabilities: types.RtpCapabilities,
): Promise<object> {
  const place = await room.edge();
  const transport = session.receiving;
  if (transport === undefined) throw new MediaFault("notFound", "watch first");
  const have = new Set([...session.consumers.values()].map(({ producerId }) => producerId));
  const consumers: object[] = [];
  for (const { producer, source } of room.producers.values()) {
    if (have.has(producer.id) || source === session.source || producer.closed) continue;
    if (session.consumers.size >= MEDIA_LIMITS.maxConsumersPerSession)
      throw new MediaFault("mediaBusy", "too many consumers");
    if (!place.router.canConsume({ producerId: producer.id, rtpCapabilities })) continue;
    try {
      const made = await consumeOne(session, transport, place, {
        producerId: producer.id,
        rtpCapabilities,
      });
      consumers.push({
        id: made.id,
        producerId: made.producerId,
        kind: made.kind,
        rtpParameters: made.rtpParameters,
      });
    } catch (error) {
      // The producer ended while it was being asked for: news of that is under way.
      if (!producer.closed || transport.closed) throw error;
    }
  }
  return { consumers, onAir: room.onAir };
}

const ownConsumer = (session: Session, id: string): types.Consumer => {
  const consumer = session.consumers.get(id);
  if (consumer === undefined) throw new MediaFault("notFound", "no such consumer of this session");
  return consumer;
};

/** Consumers that have ended meanwhile are passed over. @throws MediaFault */
export async function resume(session: Session, consumerIds: readonly string[]): Promise<object> {
  const consumers = consumerIds.flatMap((id) => session.consumers.get(id) ?? []);
  if (consumers.length === 0 && consumerIds.length > 0)
    throw new MediaFault("notFound", "no such consumer of this session");
  await Promise.all(consumers.map((consumer) => called(consumer.resume(), { what: "resume" })));
  return {};
}

/** @throws MediaFault */
export async function layer(
  session: Session,
  consumerId: string,
  spatialLayer: number,
): Promise<object> {
  const consumer = ownConsumer(session, consumerId);
  if (consumer.kind !== "video" || consumer.type !== "simulcast")
    throw new MediaFault("badRequest", "this consumer has no layers");
  await called(consumer.setPreferredLayers({ spatialLayer }), { what: "layer" });
  return {};
}
