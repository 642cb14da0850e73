/**
 * What an address is limited by. A public IPv4 address is itself; a public IPv6 address is its /64, which one household has whole.
 * Private, local and carrier-internal addresses are proxies or our own network, with many people behind each: not limited.
 */
const PRIVATE_V4 =
  /^(?:0|10|127)\.|^192\.168\.|^169\.254\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;
const PRIVATE_V6 = /^(?:0000|f[cd][0-9a-f]{2}|fe[89ab][0-9a-f]):/;
const MAPPED_V4 = /^(?:0000:){5}ffff:([0-9a-f]{2})([0-9a-f]{2}):([0-9a-f]{2})([0-9a-f]{2})$/;

/** @param address IPv4 with dots, or IPv6 as eight full groups, as uWebSockets.js writes it @returns undefined: not to be limited */
export function networkOf(address: string): string | undefined {
  const mapped = MAPPED_V4.exec(address)?.slice(1);
  const plain = mapped?.map((byte) => Number.parseInt(byte, 16)).join(".") ?? address;
  if (plain.includes(".")) return PRIVATE_V4.test(plain) ? undefined : plain;
  return PRIVATE_V6.test(plain) || plain === "" ? undefined : plain.slice(0, 19);
}
