/**
 * Whose word about a client's address is taken. A proxy that is named in TRUST_PROXY may say in X-Forwarded-For for whom it speaks;
 * the list is read from its end, as each proxy appends the one it heard from, up to the first address that is not a trusted proxy.
 * What a client writes in there itself stands before that, and is never looked at.
 */
import { BlockList, isIP } from "node:net";

export interface Proxies {
  readonly isTrusted: (address: string) => boolean;
  /** @param peer the other end of the socket @param forwarded the header as it came, or "" @returns IPv6 as eight full groups */
  readonly addressOf: (peer: string, forwarded: string) => string;
}

/** One address, or one network as `10.0.0.0/8`. @returns undefined when it is neither */
function readRule(text: string): readonly [address: string, bits: number] | undefined {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? most : Number(prefix);
  const isLawful =
    family > 0 && rest.length === 0 && /^\d{1,3}$/.test(prefix ?? "0") && bits <= most;
  return isLawful ? [address, bits] : undefined;
}

const rulesIn = (text: string): string[] =>
  text
    .split(",")
    .map((rule) => rule.trim())
    .filter((rule) => rule !== "");

export const areProxies = (text: string): boolean =>
  rulesIn(text).every((rule) => readRule(rule) !== undefined);

/** @param text as TRUST_PROXY says it: addresses and networks with commas between them */
export function createProxies(text: string): Proxies {
  const trusted = new BlockList();
  const rules = rulesIn(text);
  for (const rule of rules) {
    const [address, bits] = readRule(rule) ?? [];
    if (address === undefined || bits === undefined) throw new Error(`no address: ${rule}`);
    trusted.addSubnet(address, bits, isIP(address) === 4 ? "ipv4" : "ipv6");
  }
  const isTrusted = (address: string): boolean => {
    const family = isIP(address);
    return family > 0 && trusted.check(address, family === 4 ? "ipv4" : "ipv6");
  };
  return {
    isTrusted,
    addressOf(peer, forwarded) {
      if (rules.length === 0 || forwarded === "" || !isTrusted(peer)) return peer;
      let client = peer;
      for (const hop of forwarded.split(",").toReversed()) {
        const address = hop.trim().replace(/^\[(.*)\](?::\d+)?$|^(\d[\d.]+):\d+$/, "$1$2");
        if (isIP(address) === 0) break;
        client = address;
        if (!isTrusted(address)) break;
      }
      return isIP(client) === 6 ? fullGroups(client) : client;
    },
  };
}

/** `2001:db8::1` as `2001:0db8:0000:0000:0000:0000:0000:0001`. */
function fullGroups(address: string): string {
  const v4 = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const plain = v4 === null ? address : `${v4[1]}${hex(v4[2], v4[3])}:${hex(v4[4], v4[5])}`;
  const [head = "", tail] = plain.split("::");
  const [before, after] = [groupsOf(head), groupsOf(tail ?? "")];
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<string>(missing).fill("0"), ...after]
    .map((group) => group.padStart(4, "0"))
    .join(":");
}

const hex = (a = "0", b = "0"): string => (Number(a) * 256 + Number(b)).toString(16);
const groupsOf = (part: string): string[] => part.split(":").filter((group) => group !== "");
