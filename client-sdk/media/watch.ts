/**
 * Plays a show's video and sound in a `<video>` element: consumes whoever is on air, follows changes of host, and mends
 * itself when a transport, a worker or a media process is lost. The old picture stays until the new one is there.
 */
import { Device, type types } from "mediasoup-client";
import { createMender, type Need } from "./mender.ts";
import type { MediaNotice, OnAir } from "./notices.ts";
import { ask, asNotice, type SignalPort } from "./port.ts";
import { wired } from "./wired.ts";

/** connecting: no picture yet · playing · waiting: nobody is on air · failed: trying again by itself. */
export type VideoState = "connecting" | "playing" | "waiting" | "failed";

export interface WatchOptions {
  readonly onState?: (state: VideoState, error?: unknown) => void;
  readonly random?: () => number;
}

export interface WatchStats {
  readonly state: VideoState;
  readonly onAir: OnAir;
  /** From `watchVideo` to the first picture; undefined before it. */
  readonly firstFrameMs: number | undefined;
  readonly framesDecoded: number;
  readonly framesPerSecond: number;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly bytesReceived: number;
  readonly packetsLost: number;
}

export interface Watching {
  readonly state: VideoState;
  stats(): Promise<WatchStats>;
  /** Caps the layer of a simulcast picture: 0 is the smallest. */
  preferLayer(spatialLayer: number): Promise<void>;
  close(): void;
}

interface WatchAnswer {
  readonly rtpCapabilities: types.RtpCapabilities;
  readonly transport: types.TransportOptions;
}
interface ConsumeAnswer {
  readonly onAir: OnAir;
  readonly consumers: readonly {
    readonly id: string;
    readonly producerId: string;
    readonly kind: types.MediaKind;
    readonly rtpParameters: types.RtpParameters;
  }[];
}

/** Viewers of one room do not all come at once when its host changes, or its worker dies. */
const SPREAD_CHANGE_MS = 150;
const SPREAD_REBUILD_MS = 400;

/**
 * Resolves when everything is under way, not with the first picture: see `onState`.
 * @throws UnsupportedError (mediasoup-client) where the browser cannot do WebRTC
 */
export async function watchVideo(
  port: SignalPort,
  element: HTMLVideoElement,
  { onState, random = Math.random }: WatchOptions = {},
): Promise<Watching> {
  const startedAtMs = performance.now();
  const stream = new MediaStream();
  const consumers = new Map<string, types.Consumer>();
  const device = new Device();
  let transport: types.Transport | undefined;
  let state: VideoState = "connecting";
  let onAir: OnAir = "nobody";
  let firstFrameMs: number | undefined;
  let closed = false;

  const become = (next: VideoState, error?: unknown): void => {
    if (closed || (next === state && error === undefined)) return;
    state = next;
    onState?.(next, error);
  };
  const pictured = (): void => {
    firstFrameMs ??= performance.now() - startedAtMs;
    become("playing");
  };
  const awaitPicture = (): void => {
    if ("requestVideoFrameCallback" in element) element.requestVideoFrameCallback(pictured);
    else (element as HTMLVideoElement).addEventListener("timeupdate", pictured, { once: true });
  };
  const play = (): void => {
    element.play().catch((error: unknown) => {
      // Sound without a tap is refused: go on muted. A play() overtaken by the next one is no news.
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError" || element.muted)
        return;
      element.muted = true;
      play();
    });
  };

  const dropTracks = (kept: ReadonlySet<MediaStreamTrack>): void => {
    for (const track of stream.getTracks()) if (!kept.has(track)) stream.removeTrack(track);
  };
  const dropTransport = (): void => {
    transport?.close();
    transport = undefined;
    consumers.clear();
  };

  const build = async (): Promise<void> => {
    dropTransport();
    if (state !== "connecting") become("connecting");
    const answer = await ask<WatchAnswer>(port, "watch", {});
    if (!device.loaded) await device.load({ routerRtpCapabilities: answer.rtpCapabilities });
    const made = wired(device.createRecvTransport(answer.transport), {
      port,
      onLost: () => mender.want("build"),
    });
    if (closed) return made.close();
    transport = made;
    await consume();
  };

  const consume = async (): Promise<void> => {
    const on = transport;
    if (on === undefined) return build();
    const answer = await ask<ConsumeAnswer>(port, "consume", {
      rtpCapabilities: device.recvRtpCapabilities,
    });
    if (closed || on !== transport) return;
    ({ onAir } = answer);
    const made = await Promise.all(
      answer.consumers.map(({ id, producerId, kind, rtpParameters }) =>
        on.consume({ id, producerId, kind, rtpParameters }),
      ),
    );
    for (const consumer of made) consumers.set(consumer.id, consumer);
    for (const consumer of made) stream.addTrack(consumer.track);
    dropTracks(new Set([...consumers.values()].map(({ track }) => track)));
    if (made.some(({ kind }) => kind === "video")) {
      if (state !== "connecting") become("connecting");
      awaitPicture();
    }
    if (consumers.size === 0) {
      element.srcObject = null;
      become("waiting");
    } else if (element.srcObject !== stream) element.srcObject = stream;
    if (made.length === 0) return;
    play();
    await ask(port, "resume", { consumerIds: made.map(({ id }) => id) });
  };

  const mender = createMender({
    // What cannot be renewed (the media side knows this session no more) is built anew at once.
    act: (need: Need) => (need === "build" ? build() : consume().catch(build)),
    onFailed: (error) => become("failed", error),
    random,
  });
  const told = (notice: MediaNotice): void => {
    switch (notice.event) {
      case "producersChanged":
        onAir = notice.onAir;
        for (const consumer of consumers.values())
          if (!notice.producerIds.includes(consumer.producerId)) {
            consumers.delete(consumer.id);
            consumer.close();
          }
        return mender.want("renew", notice.onAir === "nobody" ? 0 : random() * SPREAD_CHANGE_MS);
      case "rebuilt":
        dropTransport();
        return mender.want("build", random() * SPREAD_REBUILD_MS);
      case "transportClosed":
        if (notice.transportId === transport?.id)
          mender.want("build", random() * SPREAD_REBUILD_MS);
    }
  };
  const unlisten = [
    port.onNotify((body) => {
      const notice = asNotice(body);
      if (notice !== undefined && !closed) told(notice);
    }),
    port.onRejoined(() => mender.want("renew", random() * SPREAD_CHANGE_MS)),
  ];

  element.autoplay = true;
  element.playsInline = true;
  element.muted = true;
  onState?.("connecting");
  mender.want("build");
  await mender.settled();

  return {
    get state() {
      return state;
    },
    async stats() {
      const found = {
        framesDecoded: 0,
        framesPerSecond: 0,
        widthPixels: 0,
        heightPixels: 0,
        bytesReceived: 0,
        packetsLost: 0,
      };
      for (const consumer of consumers.values())
        for (const entry of (
          await consumer.getStats()
        ).values() as Iterable<RTCInboundRtpStreamStats>) {
          if (entry.type !== "inbound-rtp") continue;
          found.bytesReceived += entry.bytesReceived ?? 0;
          found.packetsLost += entry.packetsLost ?? 0;
          if (entry.kind !== "video") continue;
          found.framesDecoded += entry.framesDecoded ?? 0;
          found.framesPerSecond = entry.framesPerSecond ?? 0;
          found.widthPixels = entry.frameWidth ?? 0;
          found.heightPixels = entry.frameHeight ?? 0;
        }
      return { state, onAir, firstFrameMs, ...found };
    },
    async preferLayer(spatialLayer) {
      const video = [...consumers.values()].find(({ kind }) => kind === "video");
      if (video !== undefined) await ask(port, "layer", { consumerId: video.id, spatialLayer });
    },
    close() {
      if (closed) return;
      closed = true;
      for (const end of unlisten) end();
      mender.close();
      dropTransport();
      element.srcObject = null;
      // The media side also notices by itself.
      port.signal("leave", {}).catch(() => undefined);
    },
  };
}
