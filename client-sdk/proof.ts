/**
 * The proof of work that some drops ask for before a pass: finds a nonce such that SHA-256 (FIPS 180-4) of `challenge:nonce` begins with
 * so many zero bits. Works in slices of a few ms, so that a page stays smooth; about a million hashes a second on a laptop, a few
 * hundred thousand on a phone. Loaded only when asked for.
 */

/** Longest that the page is held up at a stretch; nobody watches a hidden one. */
const SLICE_MS = 6;
const HIDDEN_SLICE_MS = 100;
const HASHES_BETWEEN_LOOKS = 256;
/** What fits one block of SHA-256 beside its padding. */
const MAX_CHARS = 55;

const fraction = (root: number): number => ((root % 1) * 2 ** 32) | 0;
const primes: number[] = [];
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p !== 0)) primes.push(n);
const K = Int32Array.from(primes, (p) => fraction(Math.cbrt(p)));
const START = Int32Array.from(primes.slice(0, 8), (p) => fraction(Math.sqrt(p)));

const right = (x: number, n: number): number => (x >>> n) | (x << (32 - n));

const w = new Int32Array(64);

/** @param block 64 bytes, padded @returns the first 32 bits of the hash, signed */
function firstWord(block: DataView): number {
  for (let i = 0; i < 16; i++) w[i] = block.getInt32(i * 4);
  for (let i = 16; i < 64; i++) {
    const [a, b] = [w[i - 15] as number, w[i - 2] as number];
    const s0 = right(a, 7) ^ right(a, 18) ^ (a >>> 3);
    const s1 = right(b, 17) ^ right(b, 19) ^ (b >>> 10);
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = START;
  for (let i = 0; i < 64; i++) {
    const s1 = right(e, 6) ^ right(e, 11) ^ right(e, 25);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[i] as number) + (w[i] as number)) | 0;
    const s0 = right(a, 2) ^ right(a, 13) ^ right(a, 22);
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  return (a + (START[0] as number)) | 0;
}

/** @param bits at most 32 @returns the nonce */
export async function solve(challenge: string, bits: number): Promise<number> {
  const head = new TextEncoder().encode(`${challenge}:`);
  const bytes = new Uint8Array(64);
  const block = new DataView(bytes.buffer);
  bytes.set(head);
  const tries = (nonce: number): boolean => {
    const digits = String(nonce);
    const length = head.length + digits.length;
    if (length > MAX_CHARS) throw new RangeError("the challenge is too long");
    for (let i = 0; i < digits.length; i++) bytes[head.length + i] = digits.charCodeAt(i);
    bytes[length] = 0x80;
    block.setInt32(60, length * 8);
    const first = firstWord(block);
    return bits === 0 || (bits === 32 ? first === 0 : first >>> (32 - bits) === 0);
  };
  for (let nonce = 0; ;) {
    const isHidden = typeof document !== "undefined" && document.hidden;
    const untilMs = performance.now() + (isHidden ? HIDDEN_SLICE_MS : SLICE_MS);
    do for (let i = 0; i < HASHES_BETWEEN_LOOKS; i++, nonce++) if (tries(nonce)) return nonce;
    while (performance.now() < untilMs);
    await new Promise((resolve) => setTimeout(resolve));
  }
}
