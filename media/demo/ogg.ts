/**
 * Reads the Opus packets of an Ogg file (RFC 3533, RFC 7845): one logical stream, packets joined over segments and pages.
 * Checksums are not checked: the file is ours.
 */

export interface OggOpus {
  readonly channels: number;
  /** Samples at 48 kHz to drop at the start. */
  readonly preSkipSamples: number;
  readonly packets: readonly Buffer[];
}

interface Page {
  readonly serial: number;
  readonly segments: readonly Buffer[];
  readonly endsAt: number;
}

const pageAt = (file: Buffer, offset: number): Page => {
  if (file.toString("latin1", offset, offset + 4) !== "OggS")
    throw new RangeError(`no Ogg page at byte ${offset}`);
  const count = file[offset + 26] ?? 0;
  const table = file.subarray(offset + 27, offset + 27 + count);
  let endsAt = offset + 27 + count;
  const segments = [...table].map((size) => file.subarray(endsAt, (endsAt += size)));
  if (table.length < count || endsAt > file.length)
    throw new RangeError(`Ogg page cut off at byte ${offset}`);
  return { serial: file.readUInt32LE(offset + 14), segments, endsAt };
};

/** Packets of the first logical stream, headers included. @throws RangeError */
export function oggPackets(file: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let parts: Buffer[] = [];
  let serial: number | undefined;
  for (let offset = 0; offset < file.length;) {
    const page = pageAt(file, offset);
    offset = page.endsAt;
    serial ??= page.serial;
    if (page.serial !== serial) continue;
    for (const segment of page.segments) {
      parts.push(segment);
      // A full segment means that the packet goes on.
      if (segment.length === 255) continue;
      packets.push(Buffer.concat(parts));
      parts = [];
    }
  }
  if (parts.length > 0) throw new RangeError("the last Ogg packet is cut off");
  return packets;
}

/** @throws RangeError when it is not Opus in Ogg */
export function readOggOpus(file: Buffer): OggOpus {
  const [head, tags, ...packets] = oggPackets(file);
  if (head?.toString("latin1", 0, 8) !== "OpusHead" || head.length < 19)
    throw new RangeError("no OpusHead");
  if (tags?.toString("latin1", 0, 8) !== "OpusTags") throw new RangeError("no OpusTags");
  return { channels: head[9] ?? 0, preSkipSamples: head.readUInt16LE(10), packets };
}

/** Samples at 48 kHz of one Opus packet, from its first bytes (RFC 6716, 3.1). */
export function opusSamples(packet: Buffer): number {
  const toc = packet[0];
  if (toc === undefined) throw new RangeError("empty Opus packet");
  const config = toc >> 3;
  let frame: number;
  if (config < 12) frame = [480, 960, 1920, 2880][config & 3] ?? 0;
  else if (config < 16) frame = config & 1 ? 960 : 480;
  else frame = 120 << (config & 3);
  const code = toc & 3;
  const frames = code === 0 ? 1 : code === 3 ? (packet[1] ?? 0) & 63 : 2;
  return frame * frames;
}
