/** An outcome in words, Chinese and English side by side. */
import type { Outcome } from "./drive.ts";
import type { QuantilesMs } from "./tally.ts";

const ms = (value: number): string =>
  value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString("en");

const times = ({ count, p50, p99, max }: QuantilesMs): string =>
  count === 0 || p50 === null || p99 === null || max === null
    ? "–"
    : `p50 ${ms(p50)} ms · p99 ${ms(p99)} ms · max ${ms(max)} ms  (${count.toLocaleString("en")})`;

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([name, n]) => `${name} ${n.toLocaleString("en")}`)
    .join(" · ") || "–";

/** As a Chinese character takes two columns. */
const columns = (text: string): number =>
  Array.from(text).reduce((n, c) => n + ((c.codePointAt(0) ?? 0) > 0x2e80 ? 2 : 1), 0);

export function reportText(outcome: Outcome): string {
  const { joined, viewers, holds, comments, likes, seen } = outcome;
  const rows: readonly (readonly [string, string])[] = [
    ["观众 viewers joined", `${joined.toLocaleString("en")} / ${viewers.toLocaleString("en")}`],
    ["入场 join", times(outcome.joinMs)],
    ["评论 comments", `${counts({ ...comments })}  in ${outcome.seconds} s`],
    ["评论应答 comment answered", times(outcome.commentMs)],
    ["评论到屏 comment sent → shown", times(outcome.fanoutMs)],
    [
      "点赞 likes",
      `${likes.sent.toLocaleString("en")} sent · ${likes.applied.toLocaleString("en")} confirmed`,
    ],
    [
      "抢购 holds",
      holds === null
        ? "–"
        : `${holds.answered.toLocaleString("en")} of ${holds.asked.toLocaleString("en")} answered: ${counts(holds.byResult)}`,
    ],
    ["抢购应答 hold answered", holds === null ? "–" : times(holds.tookMs)],
    [
      "关键事件 critical events",
      `${seen.events.toLocaleString("en")} seen · ${seen.gaps} gaps asked again · ${seen.lost} lost · ${seen.backwards} went back · ${seen.unbalanced} receipts wrong`,
    ],
    ["消息 messages received", outcome.messages.toLocaleString("en")],
    ["断开 connections ended", counts(outcome.closes)],
    ["故障 commands that met a fault", counts(outcome.faults)],
    [
      "压测机延迟 generator's own lag",
      `${times(outcome.lagMs)} · CPU ${outcome.generatorCpuSeconds.toFixed(1)} s`,
    ],
  ];
  const width = Math.max(...rows.map(([label]) => columns(label)));
  return rows
    .map(([label, value]) => `  ${label}${" ".repeat(width - columns(label))}  ${value}`)
    .join("\n");
}
