/** What `npm run verify` says: the figures of a ledger that is well, or the first thing that is wrong. Chinese and English. */
import type { Audit } from "./audit.ts";
import { fingerprintOf } from "./key.ts";
import type { LiveComparison } from "./live.ts";
import type { Bad } from "./reason.ts";

export interface Verification {
  readonly show: string;
  /** Of the signer; undefined without a checkpoint. */
  readonly publicKey: string | undefined;
  readonly audit: Audit;
  /** A word when there is nothing to compare with. */
  readonly live: LiveComparison | "noRedis" | "noShow" | "notAsked";
}

export const badOf = ({ audit, live }: Verification): Bad | undefined =>
  audit.bad ?? (typeof live === "string" ? undefined : live.bad);

interface Figures {
  readonly entries: number;
  readonly signedEntries: number;
  readonly checkpoints: number;
  readonly segments: number;
  readonly drops: number;
  readonly unitsAllotted: number;
  readonly unitsSold: number;
  readonly unitsHeld: number;
  /** Money taken, and of that what went back with returned units. */
  readonly cents: number;
  readonly returnedCents: number;
  readonly holds: number;
  readonly mostPerBuyer: number;
  readonly redacted: number;
  readonly epochs: Audit["epochs"];
}

function figuresOf(audit: Audit): Figures {
  const drops = [...audit.replay.drops.values()];
  const sum = (of: (drop: (typeof drops)[number]) => number): number =>
    drops.reduce((total, drop) => total + of(drop), 0);
  return {
    entries: audit.lastNo,
    signedEntries: audit.signedNo,
    checkpoints: audit.checkpoints,
    segments: audit.segments,
    drops: drops.length,
    unitsAllotted: sum(({ books }) => books.allotted + books.restocked),
    unitsSold: sum(({ books }) => books.sold),
    unitsHeld: sum(({ books }) => books.held),
    cents: sum(({ cents }) => cents),
    returnedCents: sum(({ returnedCents }) => returnedCents),
    holds: audit.replay.holds.size,
    mostPerBuyer: Math.max(0, ...drops.map(({ mostPerBuyer }) => mostPerBuyer)),
    redacted: audit.redacted,
    epochs: audit.epochs.map(({ epoch, after, annulled, atMs }) => ({
      epoch,
      after,
      annulled,
      atMs,
    })),
  };
}

/** For `--json`. */
export function jsonOf(verification: Verification): string {
  const { show, publicKey, audit, live } = verification;
  const bad = badOf(verification);
  return JSON.stringify({
    show,
    ok: bad === undefined,
    ...(bad && { firstBad: bad }),
    ...figuresOf(audit),
    hash: audit.hash,
    ...(publicKey && { keyFingerprint: fingerprintOf(publicKey) }),
    live: typeof live === "string" ? live : { ...live, bad: undefined },
  });
}

export function textOf(verification: Verification): string {
  const bad = badOf(verification);
  const { show } = verification;
  if (bad !== undefined) return badText(show, bad);
  return [
    `✓ 场次 ${show} 的账本无误 · The ledger of show ${show} verifies`,
    ...rowsOf(verification).map(([label, value]) => `  ${label.padEnd(12)} ${value}`),
    "",
  ].join("\n");
}

function badText(show: string, bad: Bad): string {
  const place = [
    bad.file === undefined ? "" : `${bad.file}${bad.line === undefined ? "" : `:${bad.line}`}`,
    bad.no === undefined ? "" : `no ${bad.no}`,
  ].filter(Boolean);
  return [
    `✗ 场次 ${show} 的账本有误 · The ledger of show ${show} does not verify`,
    ...(place.length === 0 ? [] : [`  首个错误 · first bad entry: ${place.join(", ")}`]),
    `  ${bad.zh}`,
    `  ${bad.en}`,
    "",
  ].join("\n");
}

function rowsOf({ audit, live, publicKey }: Verification): [label: string, value: string][] {
  const f = figuresOf(audit);
  const currency = typeof live === "string" ? "" : ` ${live.currency}`;
  return [
    [
      "分录 entries",
      `${f.entries} · ${f.segments} 个文件 files · 已签名至 signed through ${f.signedEntries} (${f.checkpoints})`,
    ],
    ["抢购 drops", `${f.drops} · 投放 allotted ${f.unitsAllotted}`],
    [
      "售出 sold",
      `${f.unitsSold} · ${money(f.cents)}${currency} · 退回 returned ${money(f.returnedCents)} · 保留中 held ${f.unitsHeld}`,
    ],
    ["买家 buyers", `${f.holds} 次保留 holds · 单人最多 most by one buyer ${f.mostPerBuyer}`],
    ...(audit.replay.outlays.size === 0
      ? []
      : ([
          [
            "优惠 coupons",
            `${[...audit.replay.outlays].map(([id, { spent, claims, offCents }]) => `${id} ${spent}/${claims} × ${money(offCents)}`).join(" · ")} · 均未超预算 none above its budget`,
          ],
        ] satisfies [string, string][])),
    ...(f.redacted === 0
      ? []
      : ([["脱敏 redacted", `${f.redacted}`]] satisfies [string, string][])),
    ...audit.epochs.map(({ epoch, after, annulled, atMs }): [string, string] => [
      "纪元 epoch",
      `${new Date(atMs).toISOString()} 主库切换，自第 ${after} 条之后续写，作废 ${annulled} 条（随旧主库丢失，不计入）· another primary: goes on after ${after}, ${annulled} entries of the lost one do not count · ${epoch}`,
    ]),
    ["实时 live", liveText(live)],
    ...(audit.isUnfinished
      ? ([
          ["注 note", "末行尚未写完，未计入 · the last line is unfinished and does not count"],
        ] satisfies [string, string][])
      : []),
    ["公钥 key", publicKey === undefined ? "无签名 no signature" : fingerprintOf(publicKey)],
    ["哈希 hash", audit.hash],
  ];
}

/** Exact, also where cents no longer fit a double's fraction. */
const money = (cents: number): string => {
  const digits = String(cents).padStart(3, "0");
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
};

const NOT_COMPARED = {
  noRedis: "未连上 Redis，仅核对文件 · Redis is out of reach: files only",
  noShow: "Redis 中没有该场次，仅核对文件 · Redis has no such show: files only",
  notAsked: "未比较 · not compared",
} as const;

function liveText(live: Verification["live"]): string {
  if (typeof live === "string") return NOT_COMPARED[live];
  const parts = [
    `与 Redis 一致 same as Redis: ${live.same} 条分录 entries, ${live.holds} 次保留 holds, ${live.orders} 笔订单 orders, ${money(live.orderCents)}`,
  ];
  if (live.ahead > 0) parts.push(`尚未写入文件 not in the files yet ${live.ahead}`);
  if (live.moving > 0) parts.push(`变动中未比较 in motion, left out ${live.moving}`);
  return parts.join(" · ");
}
