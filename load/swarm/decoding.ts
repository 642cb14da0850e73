/**
 * Reads frames for many viewers at once: what a room publishes has the same bytes for all of them, so it is decoded once per
 * process, and each further viewer costs one comparison of bytes.
 */
import { decodeDown, type DownFrame, FRAMES } from "#wire";

/** A decoded frame, with what all viewers would otherwise work out again. */
export interface Shared {
  readonly bytes: Buffer;
  readonly frame: DownFrame;
  /** When the comments in it were sent, ms since 1970 by the sender's clock; empty for other frames. */
  readonly sentAtMs: readonly number[];
}

/** The opcode of a packed frame: every frame is an array of less than 16 fields, the first a small number. */
export const opcodeAt = (bytes: Uint8Array, start: number): number => bytes[start + 1] as number;

/** The tick of a packed `comments` frame: an unsigned number after the opcode, as msgpack writes it. */
export function tickAt(bytes: Buffer, start: number): number {
  const tag = bytes[start + 2] as number;
  if (tag < 0x80) return tag;
  const widthBytes = 1 << (tag - 0xcc);
  return widthBytes > 4 ? 0 : bytes.readUIntBE(start + 3, widthBytes);
}

/** Comments of a swarm begin with the time they were sent. */
const STAMP = /^\[(\d{13}(?:\.\d{1,3})?)\]/;
export const stamped = (text: string, nowMs: number): string => `[${nowMs.toFixed(3)}] ${text}`;

const KEPT_PER_OPCODE = 4;
const SNAPSHOT = FRAMES.snapshot.opcode;
const FIRST_LANE_OPCODE = 0x50;

export function createDecoder(): (bytes: Buffer, start: number, end: number) => Shared {
  const kept = new Map<number, Shared[]>();

  return (bytes, start, end) => {
    const opcode = opcodeAt(bytes, start);
    if (opcode < FIRST_LANE_OPCODE && opcode !== SNAPSHOT) return read(bytes.subarray(start, end));
    let recent = kept.get(opcode);
    if (recent === undefined) kept.set(opcode, (recent = []));
    for (const shared of recent)
      if (shared.bytes.length === end - start && shared.bytes.compare(bytes, start, end) === 0)
        return shared;
    const shared = read(Buffer.from(bytes.subarray(start, end)));
    recent.unshift(shared);
    recent.length = Math.min(recent.length, KEPT_PER_OPCODE);
    return shared;
  };
}

function stampsOf(frame: DownFrame): readonly number[] {
  // A receipt of nothing comes with the way in: its comments are old ones.
  if (frame.kind !== "comments" || frame.accepted === 0) return [];
  return frame.comments.flatMap(({ text }) => {
    const stamp = STAMP.exec(text)?.[1];
    return stamp === undefined ? [] : [Number(stamp)];
  });
}

function read(bytes: Buffer): Shared {
  const frame = decodeDown(bytes);
  if (frame.kind === "malformed")
    throw new Error(`the server sent an unlawful frame: ${frame.why}`);
  return { bytes, frame, sentAtMs: stampsOf(frame) };
}
