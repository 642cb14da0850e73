/** Reads IVF, libvpx's plain container: a 32-byte header, then frames with a 12-byte header each. All little-endian. */

export interface IvfClip {
  readonly fourcc: string;
  readonly widthPixels: number;
  readonly heightPixels: number;
  /** Time units per second are `rate / scale`. */
  readonly rate: number;
  readonly scale: number;
  readonly frames: readonly { readonly at: number; readonly bytes: Buffer }[];
}

/** @throws RangeError when it is not IVF, or cut off */
export function readIvf(file: Buffer): IvfClip {
  if (file.length < 32 || file.toString("latin1", 0, 4) !== "DKIF")
    throw new RangeError("not an IVF file");
  const frames: { at: number; bytes: Buffer }[] = [];
  for (let offset = file.readUInt16LE(6); offset < file.length;) {
    if (offset + 12 > file.length)
      throw new RangeError(`IVF frame header cut off at byte ${offset}`);
    const sizeBytes = file.readUInt32LE(offset);
    const start = offset + 12;
    if (start + sizeBytes > file.length)
      throw new RangeError(`IVF frame cut off at byte ${offset}`);
    frames.push({
      at: Number(file.readBigUInt64LE(offset + 4)),
      bytes: file.subarray(start, start + sizeBytes),
    });
    offset = start + sizeBytes;
  }
  return {
    fourcc: file.toString("latin1", 8, 12),
    widthPixels: file.readUInt16LE(12),
    heightPixels: file.readUInt16LE(14),
    rate: file.readUInt32LE(16),
    scale: file.readUInt32LE(20),
    frames,
  };
}
