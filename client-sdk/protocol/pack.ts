/**
 * Packs what a client sends (arrays of whole numbers, strings and flags) as msgpack, in 0.5 kB instead of the 6 kB of
 * a full packer; a property test holds it against msgpackr. Source: msgpack specification, "Formats".
 */
const utf8 = new TextEncoder();

/** @throws TypeError on a value that no frame field can hold */
export function pack(value: unknown): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  put(out, value);
  return Uint8Array.from(out);
}

function put(out: number[], value: unknown): void {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) putUint(out, value);
  else if (typeof value === "string") putText(out, value);
  else if (typeof value === "boolean") out.push(value ? 0xc3 : 0xc2);
  else if (Array.isArray(value)) {
    if (value.length < 16) out.push(0x90 | value.length);
    else putBig(out, [0xdc, 0xdc, 0xdd], value.length);
    for (const item of value) put(out, item);
  } else throw new TypeError(`cannot pack ${String(value)}`);
}

function putUint(out: number[], value: number): void {
  if (value < 128) out.push(value);
  else if (value <= 0xffff_ffff) putBig(out, [0xcc, 0xcd, 0xce], value);
  else {
    out.push(0xcf);
    putBytes(out, Math.floor(value / 2 ** 32), 4);
    putBytes(out, value >>> 0, 4);
  }
}

function putText(out: number[], value: string): void {
  const bytes = utf8.encode(value);
  if (bytes.length < 32) out.push(0xa0 | bytes.length);
  else putBig(out, [0xd9, 0xda, 0xdb], bytes.length);
  for (const byte of bytes) out.push(byte);
}

/** A tag for the narrowest of 1, 2 or 4 bytes (arrays have no 1-byte form: both tags are equal), then the number. */
function putBig(
  out: number[],
  [one, two, four]: readonly [number, number, number],
  n: number,
): void {
  const width = n < 256 && one !== two ? 1 : n < 65_536 ? 2 : 4;
  out.push(width === 1 ? one : width === 2 ? two : four);
  putBytes(out, n, width);
}

function putBytes(out: number[], n: number, width: number): void {
  for (let shift = (width - 1) * 8; shift >= 0; shift -= 8) out.push((n >>> shift) & 255);
}
