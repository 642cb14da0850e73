/**
 * Where webhooks may go. Only the holder of the admin key can set an address, and nothing of an answer but its status is ever
 * shown, so the shop's own machine and private networks are allowed: a self-hosted shop lives there. Refused are addresses that
 * no shop has, but that give secrets away: link-local ones, cloud metadata, and what is no single host. WEBHOOK_ALLOW_PRIVATE=1
 * lifts even that. Names are checked at every connection, after they are resolved, so a name that changes its address gains nothing.
 */
import { BlockList, isIP } from "node:net";

const REFUSED = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["192.0.0.0", 24],
  ["224.0.0.0", 3],
  // Metadata services of Alibaba Cloud and Azure; those of the others are link-local.
  ["100.100.100.200", 32],
  ["168.63.129.16", 32],
] as const)
  REFUSED.addSubnet(network, bits, "ipv4");
for (const [network, bits] of [
  ["::", 128],
  ["fe80::", 10],
  ["ff00::", 8],
  // Amazon's metadata service.
  ["fd00:ec2::254", 128],
] as const)
  REFUSED.addSubnet(network, bits, "ipv6");

/** @param address an IP address, in any notation that `URL` or a resolver gives */
export function isRefusedAddress(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, "");
  const family = isIP(bare);
  // IPv4 inside IPv6 (RFC 4291, 2.5.5.2) is judged by Node's list as IPv4.
  return family !== 0 && REFUSED.check(bare, family === 6 ? "ipv6" : "ipv4");
}

/** @returns why the URL cannot be a webhook's, in English and Chinese; undefined when it can */
export function whyNotUrl(text: string, allowsAll: boolean): readonly [string, string] | undefined {
  if (!URL.canParse(text)) return ["is no URL", "不是有效的网址"];
  const { protocol, username, password, hostname, hash } = new URL(text);
  if (protocol !== "http:" && protocol !== "https:")
    return ["must start with http:// or https://", "须以 http:// 或 https:// 开头"];
  if (username !== "" || password !== "")
    return [
      "must not hold a name or password: check the signature instead",
      "不可包含用户名或密码，请校验签名",
    ];
  if (hash !== "") return ["must not have a #fragment", "不可包含 # 片段"];
  if (!allowsAll && isRefusedAddress(hostname))
    return [
      "is a link-local or metadata address (WEBHOOK_ALLOW_PRIVATE=1 allows it)",
      "是链路本地或元数据地址（设置 WEBHOOK_ALLOW_PRIVATE=1 可放行）",
    ];
  return undefined;
}
