/**
 * Frames decoded and checked per second, against bare msgpackr on the same bytes and JSON.parse of the same frames as text;
 * and frames encoded, against bare msgpackr packing the same arrays. The mix is what viewers send in a busy show.
 */
import { decodeUp, decodeUpText, encodeUp, toArray } from "#wire";
import { encodeDown } from "#wire/server";
import { Packr, Unpackr } from "msgpackr";
import type { Bench } from "./bench.ts";
import { inTurns } from "./rounds.ts";

const UNIT = "frames/s";

/** Ten frames: beats and likes are most of what comes, then comments, then purchases. */
const UP = [
  ["beat", { offset: 1234, tick: 56_789, clientAtMs: 1_763_838_112_345 }],
  ["beat", { offset: 1235, tick: 56_801, clientAtMs: 1_763_838_134_567 }],
  ["react", { seq: 17, likes: 5, shares: 0 }],
  ["react", { seq: 18, likes: 12, shares: 1 }],
  ["react", { seq: 19, likes: 3, shares: 0 }],
  ["comment", { id: 3, seq: 2, text: "这个多少钱？能便宜点吗" }],
  ["comment", { id: 4, seq: 3, text: "just got mine, the glaze is lovely" }],
  [
    "hold",
    { id: 5, key: "Zx81kQm3vT0pLw9aBc7dEf", dropId: "d0a1b2c3d4e5", quantity: 1, attempt: 0 },
  ],
  [
    "hold",
    { id: 6, key: "Yw70jPl2uS9oKv8zAb6cDe", dropId: "d0a1b2c3d4e5", quantity: 2, attempt: 1 },
  ],
  ["pay", { id: 7, holdId: "Zx81kQm3vT0pLw9aBc7dEf", attempt: 0 }],
] as const;

/** One tick of lane V. */
const COMMENTS = {
  tick: 56_789,
  atMs: 1_763_838_112_345,
  accepted: 20,
  thinned: 0,
  upTo: 20,
  skipped: 0,
  comments: Array.from({ length: 20 }, (_, i) => ({
    no: 4000 + i,
    viewerId: `v${100 + i}`,
    name: `Viewer ${100 + i}`,
    role: "viewer" as const,
    count: 1,
    text: i % 2 === 0 ? "这个多少钱？能便宜点吗" : "just got mine, the glaze is lovely",
  })),
};

export const wire: Bench = {
  name: "wire",
  says: "frames decoded and checked per second, against bare msgpackr and JSON.parse",
  async run({ quick }) {
    const frames = UP.map(([name, body]) => encodeUp(name, body as never));
    const arrays = UP.map(([name, body]) => toArray(name, body as never));
    const texts = arrays.map((array) => JSON.stringify(array));
    const commentsArray = toArray("comments", COMMENTS);
    const unpackr = new Unpackr({ useRecords: false, int64AsType: "number" });
    const packr = new Packr({ useRecords: false });
    const forMs = quick ? 100 : 400;
    const each =
      <T>(items: readonly T[], work: (item: T) => unknown) =>
      () =>
        perSecond(items, work, forMs);

    const rates = await inTurns(quick ? 3 : 7, {
      decodeUp: each(frames, decodeUp),
      unpack: each(frames, (bytes) => unpackr.unpack(bytes)),
      decodeUpText: each(texts, decodeUpText),
      parse: each(texts, (text) => JSON.parse(text) as unknown),
      encodeDown: each([COMMENTS], (body) => encodeDown("comments", body)),
      pack: each([commentsArray], (array) => packr.pack(array)),
    });
    return [
      {
        row: "decode-up",
        value: rates.decodeUp,
        unit: UNIT,
        controls: ["msgpackr-unpack", "json-parse"],
      },
      { row: "decode-up-text", value: rates.decodeUpText, unit: UNIT, controls: ["json-parse"] },
      {
        row: "encode-20-comments",
        value: rates.encodeDown,
        unit: UNIT,
        controls: ["msgpackr-pack-20-comments"],
      },
      { row: "msgpackr-unpack", value: rates.unpack, unit: UNIT, controls: [] },
      { row: "json-parse", value: rates.parse, unit: UNIT, controls: [] },
      { row: "msgpackr-pack-20-comments", value: rates.pack, unit: UNIT, controls: [] },
    ];
  },
};

/** Results end up here, so that no work can be optimised away. */
let sink: unknown;

function perSecond<T>(items: readonly T[], work: (item: T) => unknown, forMs: number): number {
  const startedMs = performance.now();
  let done = 0;
  let tookMs = 0;
  while (tookMs < forMs) {
    for (let i = 0; i < 100; i++) for (const item of items) sink = work(item);
    done += 100 * items.length;
    tookMs = performance.now() - startedMs;
  }
  if (sink === undefined) throw new Error("nothing came out");
  return done / (tookMs / 1000);
}
