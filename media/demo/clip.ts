/** The recorded host: loop.ivf and loop.ogg beside this file, read once, as frames with their time in the loop. */
import { readFile } from "node:fs/promises";
import { readIvf } from "./ivf.ts";
import { opusSamples, readOggOpus } from "./ogg.ts";

export interface ClipFrame {
  readonly kind: "video" | "audio";
  /** Within the loop. */
  readonly atMs: number;
  readonly bytes: Buffer;
}

export interface Clip {
  /** In order of time. */
  readonly frames: readonly ClipFrame[];
  readonly lengthMs: number;
}

/** @throws RangeError when the files are not VP8 and Opus, or do not fit together */
export function joinClip(ivf: Buffer, ogg: Buffer): Clip {
  const video = readIvf(ivf);
  if (video.fourcc !== "VP80" || video.frames.length === 0)
    throw new RangeError(`the clip's video is ${video.fourcc}`);
  const unitMs = (1000 * video.scale) / video.rate;
  const first = video.frames[0]?.at ?? 0;
  const lengthMs = video.frames.length * unitMs;
  const frames: ClipFrame[] = video.frames.map(({ at, bytes }) => ({
    kind: "video",
    atMs: (at - first) * unitMs,
    bytes,
  }));
  let samples = 0;
  for (const bytes of readOggOpus(ogg).packets) {
    const atMs = samples / 48;
    samples += opusSamples(bytes);
    // The loop is as long as the picture; what the encoder adds at the end of the sound is left out.
    if (samples / 48 <= lengthMs) frames.push({ kind: "audio", atMs, bytes });
  }
  if (samples / 48 < lengthMs) throw new RangeError("the clip's sound is shorter than its picture");
  return { frames: frames.sort((a, b) => a.atMs - b.atMs), lengthMs };
}

export const readClip = async (): Promise<Clip> => {
  const [ivf, ogg] = await Promise.all(
    ["loop.ivf", "loop.ogg"].map((name) => readFile(new URL(name, import.meta.url))),
  );
  if (ivf === undefined || ogg === undefined) throw new RangeError("unreachable");
  return joinClip(ivf, ogg);
};
