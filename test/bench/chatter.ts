/**
 * What a busy live room says, made up: short, half Chinese, half English, no two the same within some minutes (the same words would be
 * merged into one comment), by people with the ids that the server gives out and names of usual length. Always the same.
 */
import { createHash } from "node:crypto";
import type { NewComment } from "../../server/room/writes.ts";

const SAYINGS = [
  (n: number) => `${n}号链接多少钱`,
  (n: number) => `要${n}件`,
  (n: number) => `${n}码还有吗`,
  (n: number) => `主播看看${n}号`,
  (n: number) => `抢到了 ${n}`,
  (n: number) => `how much is no ${n}?`,
  (n: number) => `got ${n}!`,
  (n: number) => `size ${n} pls`,
  (n: number) => `第${n}次来了`,
  (n: number) => `is ${n} sold out`,
] as const;

const NAMES = [
  "小鱼",
  "Anna",
  "王小美",
  "Leo",
  "阿杰",
  "Mia_88",
  "爱喝茶的猫",
  "Tom",
  "晴天",
  "Yuki",
];

const said = (text: string, i: number): NewComment => ({
  // As long and as hard to compress as the server's own.
  viewerId: `v${createHash("sha256")
    .update(String(i % 5000))
    .digest("base64url")
    .slice(0, 12)}`,
  client: "bench",
  seq: i + 1,
  name: NAMES[i % NAMES.length] as string,
  role: "viewer",
  text,
  isHidden: false,
});

/** @returns gives the next so many comments */
export function createChatter(): (count: number) => readonly NewComment[] {
  let next = 0;
  return (count) =>
    Array.from({ length: count }, () => {
      const i = next++;
      const saying = SAYINGS[i % SAYINGS.length] as (n: number) => string;
      return said(saying(Math.floor(i / SAYINGS.length) + 1), i);
    });
}
