/**
 * Every signal of a client: who may send it, what its body must be, what it does. `answer` never throws: what goes wrong
 * comes back as a fault, so that no body, however made, ends the process or touches another session.
 */
import type { types } from "mediasoup";
import type * as z from "zod";
import type { MediaAsk, MediaTell, SignalName } from "#wire";
import { MediaFault } from "./faults.ts";
import type { Log } from "./log.ts";
import { type Produce, produce, publish } from "./publishing.ts";
import type { Room, Rooms } from "./rooms.ts";
import type { Session, Sessions } from "./sessions.ts";
import { connectBody, consumeBody, layerBody, none, produceBody, resumeBody } from "./shapes.ts";
import { connectTransport } from "./transports.ts";
import { consume, layer, resume, watch } from "./watching.ts";

interface At {
  readonly session: Session;
  readonly room: Room;
  readonly sessions: Sessions;
}

interface Signal {
  readonly hostOnly?: true;
  /** May be a session's first. The others need one that exists. */
  readonly opens?: true;
  /** Answered with {} where there is no session. */
  readonly ends?: true;
  readonly run: (at: At, body: unknown) => Promise<object>;
}

/** Checks the body, then acts on it. */
const taking =
  <T>(shape: z.ZodType<T>, act: (at: At, body: T) => Promise<object>): Signal["run"] =>
  async (at, body) => {
    const checked = shape.safeParse(body);
    if (!checked.success) {
      const [issue] = checked.error.issues;
      throw new MediaFault(
        "badRequest",
        `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "wrong shape"}`.slice(0, 200),
      );
    }
    return act(at, checked.data);
  };

const end = (way: "receiving" | "sending"): Signal["run"] =>
  taking(none, async ({ session }) => {
    session[way]?.close();
    return {};
  });

const SIGNALS: Readonly<Record<SignalName, Signal>> = {
  watch: {
    opens: true,
    run: taking(none, ({ session, room, sessions }) => watch(session, room, sessions)),
  },
  connect: {
    run: taking(connectBody, async ({ session }, { transportId, dtlsParameters }) => {
      await connectTransport(session, transportId, dtlsParameters as types.DtlsParameters);
      return {};
    }),
  },
  consume: {
    run: taking(consumeBody, ({ session, room }, body) =>
      consume(session, room, body.rtpCapabilities as types.RtpCapabilities),
    ),
  },
  resume: {
    run: taking(resumeBody, ({ session }, { consumerIds }) => resume(session, consumerIds)),
  },
  layer: {
    run: taking(layerBody, ({ session }, { consumerId, spatialLayer }) =>
      layer(session, consumerId, spatialLayer),
    ),
  },
  leave: { ends: true, run: end("receiving") },
  publish: {
    hostOnly: true,
    opens: true,
    run: taking(none, ({ session, room, sessions }) => publish(session, room, sessions)),
  },
  produce: {
    hostOnly: true,
    run: taking(produceBody, ({ session, room }, body) => produce(session, room, body as Produce)),
  },
  unpublish: { hostOnly: true, ends: true, run: end("sending") },
};

const parsed = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new MediaFault("badRequest", "the body is not JSON", error);
  }
};

export interface Signals {
  answer(ask: MediaAsk): Promise<MediaTell>;
}

export function createSignals(rooms: Pick<Rooms, "of">, sessions: Sessions, log: Log): Signals {
  const run = async (ask: MediaAsk): Promise<object> => {
    const signal = SIGNALS[ask.name as SignalName];
    if (signal.hostOnly === true && ask.role !== "host")
      throw new MediaFault("notAllowed", `${ask.name} is the host's`);
    const body = parsed(ask.body);
    const session = signal.opens === true ? sessions.of(ask) : sessions.find(ask);
    if (session === undefined) {
      if (signal.ends === true) return {};
      throw new MediaFault("notFound", "no such session: watch or publish first");
    }
    return sessions.inTurn(session, () =>
      signal.run({ session, room: rooms.of(ask.show), sessions }, body),
    );
  };
  return {
    async answer(ask) {
      try {
        return { kind: "answer", ref: ask.ref, body: JSON.stringify(await run(ask)) };
      } catch (error) {
        if (error instanceof MediaFault) {
          log.debug(
            { show: ask.show, name: ask.name, code: error.code, why: error.why },
            "media signal refused",
          );
          return { kind: "fault", ref: ask.ref, code: error.code, why: error.why };
        }
        // A bug. Other shows are on this process, so it ends with this ask.
        log.error({ show: ask.show, name: ask.name, err: error }, "media signal failed");
        return { kind: "fault", ref: ask.ref, code: "mediaDown", why: "internal" };
      }
    },
  };
}
