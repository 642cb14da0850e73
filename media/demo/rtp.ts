/** RTP packets (RFC 3550, 5.1), the VP8 payload descriptor (RFC 7741, 4.2) and RTCP sender reports (RFC 3550, 6.4.1). */

export interface RtpHeader {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
}

export function rtpPacket(
  { payloadType, marker, sequence, timestamp, ssrc }: RtpHeader,
  ...payload: readonly Uint8Array[]
): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = (marker ? 0x80 : 0) | payloadType;
  header.writeUInt16BE(sequence & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(ssrc >>> 0, 8);
  return Buffer.concat([header, ...payload]);
}

/** The four bytes before each piece of a VP8 frame: S on the first, and a 15-bit picture id. */
const vp8Descriptor = (first: boolean, pictureId: number): Buffer =>
  Buffer.from([first ? 0x90 : 0x80, 0x80, 0x80 | ((pictureId >> 8) & 0x7f), pictureId & 0xff]);

/** Payloads of one VP8 frame: as few as `maxBytes` allows, of equal size but for one byte. */
export function vp8Payloads(frame: Buffer, pictureId: number, maxBytes: number): Buffer[] {
  const pieces = Math.max(1, Math.ceil(frame.length / (maxBytes - 4)));
  return Array.from({ length: pieces }, (_, i) => {
    const start = Math.floor((frame.length * i) / pieces);
    const end = Math.floor((frame.length * (i + 1)) / pieces);
    return Buffer.concat([vp8Descriptor(i === 0, pictureId), frame.subarray(start, end)]);
  });
}

/** True for a frame that needs no other (RFC 7741, 4.3: the inverse key frame bit). */
export const isVp8Key = (frame: Buffer): boolean => ((frame[0] ?? 1) & 1) === 0;

export interface Report {
  readonly ssrc: number;
  /** Unix time of `timestamp`. */
  readonly unixMs: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly payloadBytes: number;
  readonly cname: string;
}

const NTP_EPOCH_SECONDS = 2_208_988_800;

/** Sender report and source description in one compound packet. */
export function senderReport({
  ssrc,
  unixMs,
  timestamp,
  packets,
  payloadBytes,
  cname,
}: Report): Buffer {
  const name = Buffer.from(cname, "utf8");
  // The chunk: source, item header, name, at least one zero, up to a full word.
  const chunkWords = Math.ceil((4 + 2 + name.length + 1) / 4);
  const report = Buffer.alloc(28 + 4 + chunkWords * 4);
  report.writeUInt16BE(0x80c8, 0);
  report.writeUInt16BE(6, 2);
  report.writeUInt32BE(ssrc >>> 0, 4);
  const seconds = Math.floor(unixMs / 1000);
  report.writeUInt32BE((seconds + NTP_EPOCH_SECONDS) >>> 0, 8);
  report.writeUInt32BE(Math.floor((unixMs / 1000 - seconds) * 2 ** 32) >>> 0, 12);
  report.writeUInt32BE(timestamp >>> 0, 16);
  report.writeUInt32BE(packets >>> 0, 20);
  report.writeUInt32BE(payloadBytes >>> 0, 24);
  report.writeUInt16BE(0x81ca, 28);
  report.writeUInt16BE(chunkWords, 30);
  report.writeUInt32BE(ssrc >>> 0, 32);
  report[36] = 1;
  report[37] = name.length;
  name.copy(report, 38);
  return report;
}
