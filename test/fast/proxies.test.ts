import { expect, test } from "vitest";
import { areProxies, createProxies } from "../../server/proxies.ts";
import { networkOf } from "../../server/gateway/network.ts";

test("[PROXY1] nobody is believed about an address unless named; then up to the first one who is not", () => {
  const forged = "198.51.100.9, 203.0.113.7";
  expect(createProxies("").addressOf("10.0.0.1", forged)).toBe("10.0.0.1");
  const { addressOf } = createProxies("10.0.0.0/8, 192.0.2.5");
  expect(addressOf("172.16.0.1", forged)).toBe("172.16.0.1");
  // The client itself wrote 198.51.100.9; the proxy heard from 203.0.113.7.
  expect(addressOf("10.0.0.1", forged)).toBe("203.0.113.7");
  expect(addressOf("10.0.0.1", `${forged}, 192.0.2.5, 10.9.9.9`)).toBe("203.0.113.7");
  expect(addressOf("10.0.0.1", "10.1.1.1,10.2.2.2")).toBe("10.1.1.1");
  expect(addressOf("10.0.0.1", "203.0.113.7:51234")).toBe("203.0.113.7");
  expect(addressOf("10.0.0.1", "unknown")).toBe("10.0.0.1");
  expect(addressOf("10.0.0.1", "203.0.113.7, <script>")).toBe("10.0.0.1");
  expect(addressOf("10.0.0.1", "")).toBe("10.0.0.1");
});

test("[PROXY2] addresses of both families come out as limits know them, and a list that cannot be read is refused", () => {
  const { addressOf } = createProxies("2001:db8:ffff::/48,10.0.0.1");
  const peer = "2001:0db8:ffff:0000:0000:0000:0000:0001";
  expect(networkOf(addressOf(peer, "[2001:db8:1:2::9]:443"))).toBe("2001:0db8:0001:0002");
  expect(networkOf(addressOf(peer, "2001:db8:1:2:3:4:5:6"))).toBe("2001:0db8:0001:0002");
  expect(networkOf(addressOf(peer, "::ffff:203.0.113.7"))).toBe("203.0.113.7");
  expect(networkOf(addressOf("10.0.0.1", "::1"))).toBeUndefined();
  expect(addressOf("0000:0000:0000:0000:0000:ffff:0a00:0001", "203.0.113.7")).toBe("203.0.113.7");
  for (const good of ["", "10.0.0.1", "10.0.0.0/8, ::1", "2001:db8::/32"])
    expect(areProxies(good), good).toBe(true);
  for (const bad of ["proxy.example", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.1/8/9", "::/129"])
    expect(areProxies(bad), bad).toBe(false);
});
