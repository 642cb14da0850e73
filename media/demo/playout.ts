/**
 * The clip as an endless RTP stream: which packets are due at which time since the start. Sequence numbers, timestamps
 * and picture ids go on over the loop's end. Pure: no clock, no socket; the same seeds give the same bytes.
 */
import type { Clip, ClipFrame } from "./clip.ts";
import { isVp8Key, rtpPacket, senderReport, vp8Payloads } from "./rtp.ts";

const MAX_PAYLOAD_BYTES = 1200;
/** A large frame is spread over this time, so that a key frame is no burst. */
const SPREAD_MS = 24;

export interface Track {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly clockRate: number;
  /** Random starts (RFC 3550, 5.1). */
  readonly firstSequence: number;
  readonly firstTimestamp: number;
}

export interface Playout {
  /** Everything due up to `elapsedMs` since the start and not yet given. Never goes back. */
  due(elapsedMs: number): Buffer[];
  /** A sender report a track, for the moment `elapsedMs`. */
  reports(elapsedMs: number, unixMs: number, cname: string): Buffer[];
}

interface Sent {
  sequence: number;
  packets: number;
  payloadBytes: number;
}

export function createPlayout(
  clip: Clip,
  tracks: Readonly<Record<ClipFrame["kind"], Track>>,
): Playout {
  const sent: Record<ClipFrame["kind"], Sent> = {
    video: { sequence: tracks.video.firstSequence, packets: 0, payloadBytes: 0 },
    audio: { sequence: tracks.audio.firstSequence, packets: 0, payloadBytes: 0 },
  };
  /** Packets cut from frames that have begun, in order of time. */
  const cut: { dueMs: number; packet: Buffer }[] = [];
  let next = 0;
  let rounds = 0;
  let pictureId = tracks.video.firstSequence & 0x7fff;

  const timestamp = (kind: ClipFrame["kind"], atMs: number): number => {
    const { firstTimestamp, clockRate } = tracks[kind];
    // Modulo before >>>, which only sees 53 exact bits.
    return ((firstTimestamp + Math.round((atMs * clockRate) / 1000)) % 2 ** 32) >>> 0;
  };
  const begin = (frame: ClipFrame, atMs: number): void => {
    const track = tracks[frame.kind];
    const payloads =
      frame.kind === "video"
        ? vp8Payloads(frame.bytes, pictureId, MAX_PAYLOAD_BYTES)
        : [frame.bytes];
    if (frame.kind === "video") pictureId = (pictureId + 1) & 0x7fff;
    const count = sent[frame.kind];
    for (const [i, payload] of payloads.entries()) {
      const marker = frame.kind === "video" && i === payloads.length - 1;
      const packet = rtpPacket(
        { ...track, marker, sequence: count.sequence, timestamp: timestamp(frame.kind, atMs) },
        payload,
      );
      count.sequence = (count.sequence + 1) & 0xffff;
      cut.push({ dueMs: atMs + (SPREAD_MS * i) / payloads.length, packet });
    }
    cut.sort((a, b) => a.dueMs - b.dueMs);
  };

  return {
    due(elapsedMs) {
      for (;;) {
        const frame = clip.frames[next];
        if (frame === undefined) {
          next = 0;
          rounds++;
          continue;
        }
        const atMs = rounds * clip.lengthMs + frame.atMs;
        if (atMs > elapsedMs) break;
        begin(frame, atMs);
        next++;
      }
      const waiting = cut.findIndex(({ dueMs }) => dueMs > elapsedMs);
      const ready = cut
        .splice(0, waiting === -1 ? cut.length : waiting)
        .map(({ packet }) => packet);
      for (const packet of ready) {
        const count = packet.readUInt32BE(8) === tracks.video.ssrc ? sent.video : sent.audio;
        count.packets++;
        count.payloadBytes += packet.length - 12;
      }
      return ready;
    },
    reports: (elapsedMs, unixMs, cname) =>
      (["video", "audio"] as const).map((kind) =>
        senderReport({
          ssrc: tracks[kind].ssrc,
          unixMs,
          timestamp: timestamp(kind, elapsedMs),
          cname,
          packets: sent[kind].packets,
          payloadBytes: sent[kind].payloadBytes,
        }),
      ),
  };
}

/** The longest time between two key frames: what a new viewer waits for at most. */
export function keyFrameEveryMs({ frames, lengthMs }: Clip): number {
  const keys = frames
    .filter(({ kind, bytes }) => kind === "video" && isVp8Key(bytes))
    .map(({ atMs }) => atMs);
  return Math.max(...keys.map((at, i) => (keys[i + 1] ?? lengthMs + (keys[0] ?? 0)) - at));
}
