import { expect, test } from "vitest";
import { LIMITS } from "#wire";
import { type CommandPorts, createCommands } from "../../server/gateway/commands.ts";
import { networkOf } from "../../server/gateway/network.ts";
import type { Session } from "../../server/gateway/session.ts";

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

test("[MOD9] many viewers of one public address share a limit; those of a proxy or another address do not", async () => {
  const answers: string[] = [];
  const command = createCommands({
    nowMs: () => 0,
    redisNowMs: () => 0,
    figures: { commentsIn: 0 },
  } as unknown as CommandPorts);
  const say = async (viewerId: string, address: string): Promise<string> => {
    const session = {
      show: "s",
      viewerId,
      address,
      role: "viewer",
      client: "c",
      name: "n",
      sinceMs: 0,
      room: {
        mirror: { mutedUntilMs: () => 0 },
        comment: async () => ({ result: "accepted", commentNo: 1, retryAfterMs: 0 }),
      },
      send: (_: string, { result }: { result: string }) => void answers.push(result),
    };
    command(session as unknown as Session, { kind: "comment", id: 1, seq: 1, text: "hi" });
    await new Promise(setImmediate);
    return answers.at(-1) ?? "";
  };
  for (let i = 0; i < LIMITS.addressCommentBurst; i++)
    expect(await say(`v${i}`, "203.0.113.7")).toBe("accepted");
  expect(await say("more", "203.0.113.7")).toBe("tooFast");
  expect(await say("other", "203.0.113.8")).toBe("accepted");
  for (let i = 0; i < LIMITS.addressCommentBurst + 10; i++)
    expect(await say(`p${i}`, "127.0.0.1")).toBe("accepted");
});
