/**
 * Sends a host's camera and microphone: VP8 in simulcast layers, Opus. Mends itself like the viewer's side; when another
 * host takes the show over it stands back and does not fight.
 */
import { Device, type types } from "mediasoup-client";
import { createMender } from "./mender.ts";
import { ask, asNotice, type SignalPort } from "./port.ts";
import { hand, wired } from "./wired.ts";

/** connecting · onAir · takenOver: another host is on air, this one has ended · failed: trying again by itself. */
export type PublishState = "connecting" | "onAir" | "takenOver" | "failed";

export interface PublishOptions {
  /** Simulcast layers, each half as wide as the next. */
  readonly layers?: 1 | 2 | 3;
  /** Of the largest layer. */
  readonly maxBitsPerSecond?: number;
  readonly onState?: (state: PublishState, error?: unknown) => void;
  readonly random?: () => number;
}

export interface LayerStats {
  readonly rid: string;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly framesPerSecond: number;
  readonly bytesSent: number;
}

export interface Publishing {
  readonly state: PublishState;
  /** Another camera or microphone in place of the one of its kind, without a gap. */
  replaceTrack(track: MediaStreamTrack): Promise<void>;
  stats(): Promise<readonly LayerStats[]>;
  /** Off air. The stream stays the caller's: its tracks are not stopped. */
  close(): Promise<void>;
}

interface PublishAnswer {
  readonly rtpCapabilities: types.RtpCapabilities;
  readonly transport: types.TransportOptions;
}

/** Smallest first, as mediasoup numbers them. A layer has a third of the bits of the next. */
const simulcast = (layers: number, maxBitsPerSecond: number): RTCRtpEncodingParameters[] =>
  Array.from({ length: layers }, (_, i) => ({
    rid: `r${i}`,
    scaleResolutionDownBy: 2 ** (layers - 1 - i),
    maxBitrate: Math.round(maxBitsPerSecond / 3 ** (layers - 1 - i)),
  }));

/**
 * Resolves when on air, or with the first attempt failed and the next under way: see `onState`.
 * @throws UnsupportedError (mediasoup-client) where the browser cannot do WebRTC
 */
export async function publishCamera(
  port: SignalPort,
  stream: MediaStream,
  options: PublishOptions = {},
): Promise<Publishing> {
  const { layers = 2, maxBitsPerSecond = 1_800_000, onState, random = Math.random } = options;
  const tracks = new Map(stream.getTracks().map((track) => [track.kind, track]));
  const producers = new Map<string, types.Producer>();
  const device = new Device();
  let transport: types.Transport | undefined;
  let dtls: types.DtlsParameters | undefined;
  let state: PublishState = "connecting";
  let closed = false;

  const become = (next: PublishState, error?: unknown): void => {
    if (closed || (next === state && error === undefined)) return;
    state = next;
    onState?.(next, error);
  };
  const dropTransport = (): void => {
    transport?.close();
    transport = undefined;
    dtls = undefined;
    producers.clear();
  };

  const produce = async (on: types.Transport, track: MediaStreamTrack): Promise<void> => {
    const vp8 = device.sendRtpCapabilities.codecs?.find(
      ({ mimeType }) => mimeType.toLowerCase() === "video/vp8",
    );
    const video = {
      encodings: simulcast(layers, maxBitsPerSecond),
      codecOptions: { videoGoogleStartBitrate: 800 },
      ...(vp8 && { codec: vp8 }),
    };
    const audio = { codecOptions: { opusStereo: true, opusFec: true, opusDtx: false } };
    const producer = await on.produce({
      track,
      stopTracks: false,
      appData: { source: track.kind },
      ...(track.kind === "video" ? video : audio),
    });
    producers.set(track.kind, producer);
  };
  const build = async (): Promise<void> => {
    dropTransport();
    become("connecting");
    const answer = await ask<PublishAnswer>(port, "publish", {});
    if (!device.loaded) await device.load({ routerRtpCapabilities: answer.rtpCapabilities });
    const made = wired(device.createSendTransport(answer.transport), {
      port,
      onConnect: (dtlsParameters) => (dtls = dtlsParameters),
      onLost: () => mender.want("build"),
    });
    if (closed) return made.close();
    transport = made;
    made.on("produce", ({ kind, rtpParameters, appData }, done, failed) => {
      const body = { transportId: made.id, kind, rtpParameters, source: appData["source"] };
      void hand(
        ask<{ producerId: string }>(port, "produce", body),
        ({ producerId }) => done({ id: producerId }),
        failed,
      );
    });
    // The picture first: it is what viewers wait for.
    for (const kind of ["video", "audio"]) {
      const track = tracks.get(kind);
      if (track !== undefined && track.readyState === "live" && made === transport)
        await produce(made, track);
    }
    if (made === transport) become("onAir");
  };
  /** Asks whether the media side still has this transport: connecting again changes nothing, or is refused. */
  const renew = async (): Promise<void> => {
    if (state === "takenOver") return;
    if (transport === undefined || dtls === undefined) return build();
    await ask(port, "connect", { transportId: transport.id, dtlsParameters: dtls });
  };

  const mender = createMender({
    act: (need) => (need === "build" ? build() : renew().catch(build)),
    onFailed: (error) => become("failed", error),
    random,
  });
  const unlisten = [
    port.onNotify((body) => {
      const notice = asNotice(body);
      if (notice === undefined || closed || state === "takenOver") return;
      if (notice.event === "rebuilt") mender.want("build");
      if (notice.event !== "transportClosed" || notice.transportId !== transport?.id) return;
      dropTransport();
      if (notice.why === "takenOver") become("takenOver");
      else mender.want("build");
    }),
    port.onRejoined(() => mender.want("renew")),
  ];

  onState?.("connecting");
  mender.want("build");
  await mender.settled();

  return {
    get state() {
      return state;
    },
    async replaceTrack(track) {
      tracks.set(track.kind, track);
      const producer = producers.get(track.kind);
      if (producer !== undefined) await producer.replaceTrack({ track });
      else if (transport !== undefined) await produce(transport, track);
    },
    async stats() {
      const producer = producers.get("video");
      if (producer === undefined) return [];
      const entries = [
        ...((await producer.getStats()).values() as Iterable<
          RTCOutboundRtpStreamStats & { rid?: string }
        >),
      ];
      return entries
        .filter(({ type }) => type === "outbound-rtp")
        .map((entry) => ({
          rid: entry.rid ?? "",
          widthPixels: entry.frameWidth ?? 0,
          heightPixels: entry.frameHeight ?? 0,
          framesPerSecond: entry.framesPerSecond ?? 0,
          bytesSent: entry.bytesSent ?? 0,
        }));
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const end of unlisten) end();
      mender.close();
      dropTransport();
      // Offline, the media side notices by itself.
      if (state !== "takenOver") await ask(port, "unpublish", {}).catch(() => undefined);
    },
  };
}
