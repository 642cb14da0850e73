import { readFileSync, statSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { joinClip, readClip } from "../../media/demo/clip.ts";
import { readIvf } from "../../media/demo/ivf.ts";
import { oggPackets, opusSamples } from "../../media/demo/ogg.ts";
import { createPlayout, keyFrameEveryMs } from "../../media/demo/playout.ts";
import { isVp8Key, senderReport, vp8Payloads } from "../../media/demo/rtp.ts";

const anyBytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: 1, maxLength }).map((array) => Buffer.from(array));

const ivfOf = (frames: readonly Buffer[]): Buffer => {
  const header = Buffer.alloc(32);
  header.write("DKIF", 0);
  header.writeUInt16LE(32, 6);
  header.write("VP80", 8);
  header.writeUInt32LE(25, 16);
  header.writeUInt32LE(1, 20);
  return Buffer.concat([
    header,
    ...frames.map((frame, i) => {
      const head = Buffer.alloc(12);
      head.writeUInt32LE(frame.length, 0);
      head.writeBigUInt64LE(BigInt(i), 4);
      return Buffer.concat([head, frame]);
    }),
  ]);
};

/** Lays packets out in pages of at most `maxSegments` segments, so that packets cross pages. */
const oggOf = (packets: readonly Buffer[], maxSegments: number): Buffer => {
  const segments = packets.flatMap((packet) => {
    const whole = Math.floor(packet.length / 255);
    return Array.from({ length: whole + 1 }, (_, i) => packet.subarray(i * 255, (i + 1) * 255));
  });
  const pages: Buffer[] = [];
  for (let i = 0; i < segments.length; i += maxSegments) {
    const own = segments.slice(i, i + maxSegments);
    const head = Buffer.alloc(27);
    head.write("OggS", 0);
    head.writeUInt32LE(7, 14);
    head[26] = own.length;
    pages.push(Buffer.concat([head, Buffer.from(own.map(({ length }) => length)), ...own]));
  }
  return Buffer.concat(pages);
};

test("[MEDIA1] IVF frames and Ogg packets come back as they were written", () => {
  fc.assert(
    fc.property(
      fc.array(anyBytes(700), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 255 }),
      (parts, maxSegments) => {
        expect(readIvf(ivfOf(parts)).frames.map((frame) => frame.bytes)).toEqual(parts);
        expect(oggPackets(oggOf(parts, maxSegments))).toEqual(parts);
      },
    ),
  );
});

const refusesOrReads = (read: () => unknown): void => {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
  }
};

test("[MEDIA1] files that are cut off or not theirs are refused with RangeError, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.array(anyBytes(300), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.nat(255),
      (parts, at, flip) => {
        for (const file of [ivfOf(parts), oggOf(parts, 3)]) {
          const damaged = Buffer.from(file);
          const i = at % damaged.length;
          damaged[i] = (damaged[i] ?? 0) ^ flip;
          for (const some of [file.subarray(0, at % file.length), damaged]) {
            refusesOrReads(() => readIvf(some));
            refusesOrReads(() => oggPackets(some));
          }
        }
      },
    ),
  );
  expect(() => readIvf(ivfOf([Buffer.alloc(10)]).subarray(0, 50))).toThrow(RangeError);
});

test("[MEDIA2] a VP8 frame's payloads fit, say where it starts, and join to the frame (RFC 7741)", () => {
  fc.assert(
    fc.property(
      anyBytes(9000),
      fc.nat(0x7fff),
      fc.integer({ min: 50, max: 1200 }),
      (frame, pictureId, maxBytes) => {
        const payloads = vp8Payloads(frame, pictureId, maxBytes);
        expect(Buffer.concat(payloads.map((payload) => payload.subarray(4)))).toEqual(frame);
        for (const [i, payload] of payloads.entries()) {
          expect(payload.length).toBeLessThanOrEqual(maxBytes);
          // X is always set, S on the first piece only, partition 0.
          expect(payload[0]).toBe(i === 0 ? 0x90 : 0x80);
          expect(payload[1]).toBe(0x80);
          expect(payload.readUInt16BE(2)).toBe(0x8000 | pictureId);
        }
      },
    ),
  );
});

const clip = await readClip();
const tracks = {
  video: {
    ssrc: 0xdecade,
    payloadType: 101,
    clockRate: 90_000,
    firstSequence: 65_000,
    firstTimestamp: 2 ** 32 - 90_000,
  },
  audio: { ssrc: 0xface, payloadType: 100, clockRate: 48_000, firstSequence: 7, firstTimestamp: 5 },
};

test("[MEDIA3] whenever it is asked, the playout gives the same packets in the same order", () => {
  const whole = createPlayout(clip, tracks).due(4000);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 60 }), (times) => {
      const playout = createPlayout(clip, tracks);
      const given = [...times.sort((a, b) => a - b), 4000].flatMap((atMs) => playout.due(atMs));
      expect(Buffer.concat(given).equals(Buffer.concat(whole))).toBe(true);
    }),
    { numRuns: 25 },
  );
});

/** Distances between neighbours' timestamps. */
const steps = (own: readonly Buffer[]): Set<number> =>
  new Set(
    own
      .slice(1)
      .map((packet, i) => (packet.readUInt32BE(4) - (own[i]?.readUInt32BE(4) ?? 0)) >>> 0),
  );

test("[MEDIA3] sequence, timestamps and picture ids go on over the loop's end and their own wrap", () => {
  const packets = createPlayout(clip, tracks).due(clip.lengthMs * 2 + 500);
  const of = (ssrc: number): Buffer[] =>
    packets.filter((packet) => packet.readUInt32BE(8) === ssrc);
  for (const { ssrc, firstSequence, firstTimestamp } of Object.values(tracks)) {
    const own = of(ssrc);
    expect(own.map((packet) => packet.readUInt16BE(2))).toEqual(
      own.map((_, i) => (firstSequence + i) & 0xffff),
    );
    expect(own[0]?.readUInt32BE(4)).toBe(firstTimestamp);
  }
  expect(steps(of(tracks.audio.ssrc))).toEqual(new Set([960]));
  const starts = of(tracks.video.ssrc).filter((packet) => packet[12] === 0x90);
  expect(steps(starts)).toEqual(new Set([3600]));
  const ids = starts.map((packet) => packet.readUInt16BE(14) & 0x7fff);
  expect(ids).toEqual(ids.map((_, i) => ((ids[0] ?? 0) + i) & 0x7fff));
  // The marker closes each frame: one per start.
  expect(of(tracks.video.ssrc).filter((packet) => ((packet[1] ?? 0) & 0x80) !== 0)).toHaveLength(
    starts.length,
  );
});

const shipped = (name: string): URL => new URL(`../../media/demo/${name}`, import.meta.url);

test("[MEDIA4] the shipped clip: 25 frames a second, a key frame each second, every frame shown, sound to the end, under 1.5 MB", () => {
  const video = clip.frames.filter(({ kind }) => kind === "video");
  const audio = clip.frames.filter(({ kind }) => kind === "audio");
  expect(video).toHaveLength((clip.lengthMs / 1000) * 25);
  expect(keyFrameEveryMs(clip)).toBeLessThanOrEqual(1000);
  expect(isVp8Key(video[0]?.bytes ?? Buffer.alloc(0))).toBe(true);
  // show_frame, bit 4 of the first byte (RFC 6386, 9.1): alt-ref frames have it unset.
  expect(video.every(({ bytes: [first] }) => ((first ?? 0) & 0x10) !== 0)).toBe(true);
  expect(audio.reduce((sum, { bytes }) => sum + opusSamples(bytes), 0)).toBe(clip.lengthMs * 48);
  expect(statSync(shipped("loop.ivf")).size + statSync(shipped("loop.ogg")).size).toBeLessThan(
    1_500_000,
  );
  expect(() =>
    joinClip(
      readFileSync(shipped("loop.ivf")),
      readFileSync(shipped("loop.ogg")).subarray(0, 40_000),
    ),
  ).toThrow(RangeError);
});

test("[MEDIA5] sender reports tie the RTP clock to the wall clock, and count what was sent", () => {
  const playout = createPlayout(clip, tracks);
  const sent = playout.due(1000);
  const [video, audio] = playout.reports(1000, 1_700_000_000_250, "cname");
  expect(video?.readUInt32BE(4)).toBe(tracks.video.ssrc);
  expect(video?.readUInt32BE(8)).toBe(1_700_000_000 + 2_208_988_800);
  expect(video?.readUInt32BE(12)).toBe(2 ** 30);
  expect(video?.readUInt32BE(16)).toBe((tracks.video.firstTimestamp + 90_000) % 2 ** 32);
  expect(audio?.readUInt32BE(16)).toBe(tracks.audio.firstTimestamp + 48_000);
  expect((video?.readUInt32BE(20) ?? 0) + (audio?.readUInt32BE(20) ?? 0)).toBe(sent.length);
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (cname) => {
      const report = senderReport({
        ssrc: 1,
        unixMs: 0,
        timestamp: 0,
        packets: 0,
        payloadBytes: 0,
        cname,
      });
      // Two RTCP packets whose lengths, in words, add up.
      const first = (report.readUInt16BE(2) + 1) * 4;
      expect(first + (report.readUInt16BE(first + 2) + 1) * 4).toBe(report.length);
    }),
  );
});
