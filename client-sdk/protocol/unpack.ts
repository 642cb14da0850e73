/**
 * Reads msgpack (github.com/msgpack/msgpack, spec.md), without extension types: a twelfth of msgpackr's reader, so that pages load
 * sooner. Hostile bytes end in a throw, never in more work or memory than their own length is worth: counts are held against the
 * bytes that are left, and depth is bounded. Reads one value and nothing behind it. Not re-entrant.
 */
const MAX_DEPTH = 32;
/** Longer texts are worth a call of the platform's decoder. */
const SHORT_TEXT = 64;
const POW32 = 2 ** 32;

const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { ignoreBOM: true });
const scratch = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

const units: number[] = [];
let bytes: Uint8Array;
let at = 0;
let depth = 0;

/** @throws RangeError for anything but one whole value */
export function unpack(message: Uint8Array): unknown {
  bytes = message;
  at = depth = 0;
  const value = read();
  if (at !== bytes.length) throw new RangeError("bytes behind the value");
  return value;
}

/** Moves over so many bytes. @returns where they begin */
function take(count: number): number {
  const from = at;
  at += count;
  if (at > bytes.length) throw new RangeError("cut short");
  return from;
}

function uint(size: number): number {
  let from = take(size);
  let value = 0;
  for (; from < at; from++) value = value * 256 + (bytes[from] as number);
  return value;
}

function int(size: number): number {
  const high = size === 8 ? int(4) : 0;
  if (size === 8) return high * POW32 + uint(4);
  const shift = 32 - 8 * size;
  return (uint(size) << shift) >> shift;
}

function float(size: number): number {
  const from = take(size);
  for (let i = 0; i < size; i++) scratch.setUint8(i, bytes[from + i] as number);
  return size === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0);
}

function text(length: number): string {
  const from = take(length);
  return (
    (length <= SHORT_TEXT ? shortText(from) : undefined) ?? decoder.decode(bytes.subarray(from, at))
  );
}

/** @returns undefined for what needs the platform's decoder: beyond the basic plane, or not well-formed */
function shortText(from: number): string | undefined {
  units.length = 0;
  for (let i = from; i < at; i++) {
    const first = bytes[i] as number;
    const more = first < 0x80 ? 0 : first < 0xe0 ? 1 : 2;
    const code = more === 0 ? first : wide(first, i, more);
    if (code < 0) return undefined;
    units.push(code);
    i += more;
  }
  return String.fromCharCode.apply(null, units);
}

const LEAST = [0, 0x80, 0x800];

/** A character of two or three bytes. @returns -1 when it is none */
function wide(first: number, i: number, more: number): number {
  if (first < 0xc2 || first > 0xef || i + more >= at) return -1;
  let code = first & (more === 1 ? 31 : 15);
  for (let k = 1; k <= more; k++) {
    const next = bytes[i + k] as number;
    if (next >> 6 !== 2) return -1;
    code = (code << 6) | (next & 63);
  }
  // Too long a form, or half of a pair.
  return code < (LEAST[more] as number) || code >> 11 === 0x1b ? -1 : code;
}

/** Every element is at least one byte. */
function enter(count: number): void {
  if (count > bytes.length - at || ++depth > MAX_DEPTH) throw new RangeError("too much");
}

function list(count: number): unknown[] {
  enter(count);
  const values: unknown[] = [];
  for (let i = 0; i < count; i++) values.push(read());
  depth--;
  return values;
}

function map(count: number): Record<string, unknown> {
  enter(count);
  const entries: [string, unknown][] = [];
  for (let i = 0; i < count; i++) entries.push([String(read()), read()]);
  depth--;
  return Object.fromEntries(entries);
}

function read(): unknown {
  const kind = bytes[take(1)] as number;
  if (kind < 0x80) return kind;
  if (kind < 0x90) return map(kind & 15);
  if (kind < 0xa0) return list(kind & 15);
  if (kind < 0xc0) return text(kind & 31);
  if (kind > 0xdf) return kind - 256;
  return readLong(kind);
}

/** By kind, from 0xc0 on; each family's sizes are powers of two. */
const LONG: readonly (readonly [first: number, last: number, read: (size: number) => unknown])[] = [
  [0xc0, 0xc0, () => null],
  [0xc2, 0xc2, () => false],
  [0xc3, 0xc3, () => true],
  [0xcc, 0xcf, uint],
  [0xd0, 0xd3, int],
  [0xd9, 0xdb, (size) => text(uint(size))],
  [0xdc, 0xdd, (size) => list(uint(2 * size))],
  [0xde, 0xdf, (size) => map(uint(2 * size))],
  [0xca, 0xcb, (size) => float(4 * size)],
  [0xc4, 0xc6, (size) => bytes.slice(take(uint(size)), at)],
];

function readLong(kind: number): unknown {
  for (const [first, last, readIt] of LONG)
    if (kind >= first && kind <= last) return readIt(1 << (kind - first));
  throw new RangeError(`no such kind of value: ${kind}`);
}
