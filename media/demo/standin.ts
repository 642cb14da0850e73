/**
 * The demo show's stand-in host: plays the recorded clip into a room as real RTP over loopback while no person is on
 * air. Ends when a host takes over, comes back some seconds after the host has gone, and at once after a worker's
 * death. Costs about 90 packets a second and one timer of 10 ms.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { randomInt } from "node:crypto";
import type { types } from "mediasoup";
import { called } from "../calls.ts";
import { MediaFault } from "../faults.ts";
import { MEDIA_LIMITS } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Room, Source } from "../rooms.ts";
import { type Clip, readClip } from "./clip.ts";
import { createPlayout, type Track } from "./playout.ts";

export interface StandIn {
  stop(): Promise<void>;
}

const STEP_MS = 10;
const REPORT_EVERY_MS = 1000;
/** A process that slept longer goes on from where it was, instead of catching up in a burst. */
const MAX_LATE_MS = 400;
const RETRY_MS = 1000;
const CNAME = "dropcast-demo";

const track = (payloadType: number, clockRate: number): Track => ({
  ssrc: randomInt(1, 2 ** 32 - 1),
  payloadType,
  clockRate,
  firstSequence: randomInt(2 ** 15),
  firstTimestamp: randomInt(2 ** 32 - 1),
});

/** Sends what is due every 10 ms by an absolute schedule. @returns what ends it */
function play(
  clip: Clip,
  tracks: { video: Track; audio: Track },
  send: (packet: Buffer) => void,
): () => void {
  const playout = createPlayout(clip, tracks);
  let startMs = performance.now();
  let step = 0;
  let reportMs = 0;
  let timer: NodeJS.Timeout;
  const turn = (): void => {
    const lateMs = performance.now() - startMs - step * STEP_MS;
    if (lateMs > MAX_LATE_MS) startMs += lateMs;
    const elapsedMs = performance.now() - startMs;
    if (elapsedMs >= reportMs) {
      for (const report of playout.reports(
        elapsedMs,
        performance.timeOrigin + performance.now(),
        CNAME,
      ))
        send(report);
      reportMs = elapsedMs + REPORT_EVERY_MS;
    }
    for (const packet of playout.due(elapsedMs)) send(packet);
    step = Math.floor(elapsedMs / STEP_MS) + 1;
    timer = setTimeout(turn, Math.max(0, startMs + step * STEP_MS - performance.now()));
  };
  turn();
  return () => clearTimeout(timer);
}

const parametersOf = (
  { ssrc, payloadType, clockRate }: Track,
  codec: Partial<types.RtpCodecParameters> & { mimeType: string },
): types.RtpParameters => ({
  codecs: [{ payloadType, clockRate, ...codec }],
  encodings: [{ ssrc }],
  rtcp: { cname: CNAME, reducedSize: false },
});

interface OnAir {
  end(): void;
}

/** Puts the clip on air. Nothing is left behind when it fails. @throws MediaFault */
async function goOnAir(room: Room, clip: Clip): Promise<OnAir> {
  const { router } = await room.origin();
  const transport = await called(
    router.createPlainTransport({
      listenInfo: { protocol: "udp", ip: "127.0.0.1" },
      rtcpMux: true,
      comedia: true,
    }),
    {
      what: "make the demo's transport",
      late: (late) => late.close(),
    },
  );
  const socket: Socket = createSocket("udp4");
  let endPlay: (() => void) | undefined;
  // The worker's death, a host taking over and our own end all arrive here.
  transport.observer.once("close", () => {
    endPlay?.();
    socket.close();
  });
  const end = (): void => transport.close();
  try {
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    // What the worker sends back (key frame requests, receiver reports) is not read: there is a key frame every second.
    socket.on("error", end);
    const tracks = { video: track(101, 90_000), audio: track(100, 48_000) };
    const source: Source = { air: "demo", takenOver: end };
    const video = await called(
      transport.produce({
        kind: "video",
        rtpParameters: parametersOf(tracks.video, {
          mimeType: "video/VP8",
          rtcpFeedback: [{ type: "nack", parameter: "pli" }],
        }),
        keyFrameRequestDelay: MEDIA_LIMITS.keyFrameRequestDelayMs,
      }),
      { what: "produce the demo's picture" },
    );
    const audio = await called(
      transport.produce({
        kind: "audio",
        rtpParameters: parametersOf(tracks.audio, {
          mimeType: "audio/opus",
          channels: 2,
          parameters: { "sprop-stereo": 1 },
        }),
      }),
      { what: "produce the demo's sound" },
    );
    if (transport.closed || audio.closed || video.closed)
      throw new MediaFault("mediaDown", "the demo's transport closed meanwhile");
    const { localPort } = transport.tuple;
    endPlay = play(clip, tracks, (packet) => socket.send(packet, localPort, "127.0.0.1"));
    room.air(video, source);
    room.air(audio, source);
    return { end };
  } catch (error) {
    end();
    throw error;
  }
}

/** Resolves when the clip is on air. @throws RangeError for a broken clip, MediaFault */
export async function startStandIn(room: Room, log: Log): Promise<StandIn> {
  const clip = await readClip();
  let showing: OnAir | undefined;
  let starting: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let hostWasOn = false;
  let stopped = false;

  const show = async (): Promise<void> => {
    showing = await goOnAir(room, clip);
    hostWasOn = false;
    // Stopped, or overtaken by a host, while it was being made.
    if (stopped || room.onAir === "host") showing.end();
    else log.info({ show: room.show }, "demo host on air");
  };
  const again = (delayMs: number): void => {
    timer = setTimeout(() => {
      timer = undefined;
      starting = show()
        .catch((error: unknown) => {
          log.warn({ show: room.show, reason: String(error) }, "demo host not on air");
          if (!stopped) again(RETRY_MS);
        })
        .finally(() => (starting = undefined));
    }, delayMs);
  };
  const look = (): void => {
    if (stopped) return;
    if (room.onAir === "host") {
      hostWasOn = true;
      clearTimeout(timer);
      timer = undefined;
    } else if (room.onAir === "nobody" && timer === undefined && starting === undefined)
      again(hostWasOn ? MEDIA_LIMITS.demoReturnMs : 0);
  };
  starting = show().finally(() => (starting = undefined));
  await starting;
  const forget = room.onChanged(look);
  return {
    async stop() {
      stopped = true;
      forget();
      clearTimeout(timer);
      await starting?.catch(() => undefined);
      showing?.end();
    },
  };
}
