import { expect, test } from "vitest";
import { LIMITS } from "#wire";
import { networkOf } from "../../server/gateway/network.ts";
import { type Asker, createRates, RATES } from "../../server/gateway/rates.ts";

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["0000:0000:0000:0000:0000:ffff:cb00:7107", "203.0.113.7"],
  ["2001:0db8:0001:0002:0003:0004:0005:0006", "2001:0db8:0001:0002"],
  ["127.0.0.1", undefined],
  ["10.1.2.3", undefined],
  ["172.20.0.1", undefined],
  ["192.168.1.9", undefined],
  ["100.64.0.1", undefined],
  ["0000:0000:0000:0000:0000:0000:0000:0001", undefined],
  ["0000:0000:0000:0000:0000:ffff:7f00:0001", undefined],
  ["fe80:0000:0000:0000:0000:0000:0000:0001", undefined],
  ["fd00:0000:0000:0000:0000:0000:0000:0001", undefined],
])("[MOD9] the address %s is limited as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

/** Somebody of one device. */
const at = (viewerId: string, address: string, tokenNo = 1): Asker & { client: string } => ({
  show: "s",
  viewerId,
  address,
  tokenNo,
  client: "c",
});

test("[MOD9] many viewers of one public address share a limit; those of a proxy or another address do not", () => {
  const rates = createRates(() => 0, 1000);
  for (let i = 0; i < LIMITS.addressCommentBurst; i++)
    expect(rates.comment(at(`v${i}`, "203.0.113.7"), 1)).toBe(0);
  expect(rates.comment(at("more", "203.0.113.7"), 1)).toBeGreaterThan(0);
  expect(rates.comment(at("other", "203.0.113.8"), 1)).toBe(0);
  for (let i = 0; i < LIMITS.addressCommentBurst + 10; i++)
    expect(rates.comment(at(`p${i}`, "127.0.0.1"), 1)).toBe(0);
});

test("[RATE2] tries to buy are limited by viewer, by token and by public address, each told when to come back", () => {
  let nowMs = 0;
  const rates = createRates(() => nowMs, 1000);
  const [perToken, perSecond] = RATES.tokenHold;
  for (let i = 0; i < perToken; i++) expect(rates.hold(at("ann", "10.0.0.1", 1))).toBe(0);
  const waitMs = rates.hold(at("ann", "10.0.0.1", 1));
  expect(waitMs).toBe(1000 / perSecond);
  // Another device of hers, until the two are as much as one viewer may.
  let more = 0;
  while (rates.hold(at("ann", "10.0.0.1", 2)) === 0) more++;
  expect(more).toBeGreaterThan(0);
  expect(more).toBeLessThan(perToken);
  nowMs += waitMs;
  expect(rates.hold(at("ann", "10.0.0.1", 1))).toBe(0);
  const [perAddress] = RATES.addressHold;
  for (let i = 0; i < perAddress; i++) expect(rates.hold(at(`v${i}`, "203.0.113.7"))).toBe(0);
  expect(rates.hold(at("next", "203.0.113.7"))).toBeGreaterThan(0);
  expect(rates.hold(at("next", "203.0.113.8"))).toBe(0);
});
