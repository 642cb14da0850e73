/**
 * The operator's one sentence: is everything all right, and if not, what is wrong and what to do. The first finding of the
 * worst level speaks; all findings are listed. Pure; thresholds are here and nowhere else.
 */
import { imbalanceOf } from "./drop-view.ts";
import { gatewaysOf } from "./nodes.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Words {
  readonly en: string;
  readonly zh: string;
}

export type Level = "ok" | "warn" | "stop";

export interface Finding {
  readonly level: Level;
  readonly sentence: Words;
  readonly remedy: Words;
}

export interface Verdict {
  readonly level: Level;
  readonly sentence: Words;
  /** Of the finding that speaks; absent when all is well. */
  readonly remedy?: Words;
  readonly findings: readonly Finding[];
}

/** [F8]: a hold may outlive its deadline by this much. */
const MAX_SWEEP_LAG_MS = 1000;
const MAX_HOLD_P99_MS = 250;
const MAX_FANOUT_P99_MS = 500;
const MAX_LOOP_DELAY_MS = 200;
const MANY_PAYMENTS = 60;

export function judge(snapshot: Snapshot, wantsMedia: boolean): Verdict {
  const findings = [
    ...booksOf(snapshot),
    ...ledgersOf(snapshot),
    ...processesOf(snapshot, wantsMedia),
    ...pressureOf(snapshot),
  ];
  const worst = findings.find((f) => f.level === "stop") ?? findings[0];
  if (worst !== undefined)
    return { level: worst.level, sentence: worst.sentence, remedy: worst.remedy, findings };
  return { level: "ok", sentence: allWell(snapshot), findings };
}

function allWell(snapshot: Snapshot): Words {
  const count = snapshot.nodes.length + snapshot.media.length;
  const p99Ms = Math.round(worstOf(snapshot, "holdP99Ms").value);
  return {
    en: `All drops safe. ${count} nodes.${p99Ms > 0 ? ` p99 ${p99Ms} ms.` : ""}`,
    zh: `所有抢购正常。${count} 个节点。${p99Ms > 0 ? `p99 ${p99Ms} 毫秒。` : ""}`,
  };
}

const finding = (level: Level, sentence: Words, remedy: Words): Finding => ({
  level,
  sentence,
  remedy,
});

function booksOf({ shows, sweeperLagMs, redis }: Snapshot): Finding[] {
  const findings: Finding[] = [];
  for (const show of shows)
    for (const drop of show.drops)
      if (imbalanceOf(drop) !== 0)
        findings.push(
          finding(
            "stop",
            {
              en: `The books of drop ${drop.dropId} in show ${show.id} do not add up.`,
              zh: `场次 ${show.id} 的抢购 ${drop.dropId} 账目不平。`,
            },
            {
              en: "Close the drop and run npm run verify.",
              zh: "请关闭该抢购，并运行 npm run verify 核对账本。",
            },
          ),
        );
  if (sweeperLagMs > MAX_SWEEP_LAG_MS)
    findings.push(
      finding(
        "warn",
        {
          en: `Expired holds return ${sweeperLagMs} ms late.`,
          zh: `过期保留的释放延迟了 ${sweeperLagMs} 毫秒。`,
        },
        {
          en: "Look at the load of Redis and of the control process.",
          zh: "请检查 Redis 与 control 进程的负载。",
        },
      ),
    );
  if (redis.appendfsync !== "always" && redis.appendfsync !== "unknown")
    findings.push(
      finding(
        "warn",
        {
          en: `A crash of Redis can lose acknowledged holds (appendfsync ${redis.appendfsync}).`,
          zh: `Redis 崩溃可能丢失已确认的保留（appendfsync ${redis.appendfsync}）。`,
        },
        {
          en: "Set appendonly yes and appendfsync always.",
          zh: "请设置 appendonly yes 与 appendfsync always。",
        },
      ),
    );
  return findings;
}

function ledgersOf({ ledgers, nodes }: Snapshot): Finding[] {
  const known = ledgers.stuck.map(({ show, reason }) =>
    finding(
      "stop",
      {
        en: `The ledger files of show ${show} stand still: ${reason}.`,
        zh: `场次 ${show} 的账本文件已停止写入：${reason}。`,
      },
      {
        en: `Sales go on, their proof does not. Run npm run verify -- --show ${show}; to have the files written anew from Redis, move DATA_DIR/ledger/${show} away.`,
        zh: `销售不受影响，但凭证未更新。请运行 npm run verify -- --show ${show}；如需从 Redis 重写，请移走 DATA_DIR/ledger/${show}。`,
      },
    ),
  );
  const elsewhere = nodes.filter(({ figures }) => (figures["ledgersStuck"] ?? 0) > 0);
  const told = known.length > 0 ? [] : elsewhere;
  return [
    ...known,
    ...told.map(({ node, figures }) =>
      finding(
        "stop",
        {
          en: `${figures["ledgersStuck"]} ledgers stand still (${node}).`,
          zh: `${figures["ledgersStuck"]} 个账本已停止写入（${node}）。`,
        },
        { en: "Look into that process's log.", zh: "请查看该进程的日志。" },
      ),
    ),
    ...ledgers.waiting.slice(0, 1).map((show) =>
      finding(
        "warn",
        {
          en: `The ledger files of show ${show} wait: replicas do not have its last entries.`,
          zh: `场次 ${show} 的账本文件在等待：副本尚未收到最新分录。`,
        },
        {
          en: "Buyers of drops of class replica are told “pending” meanwhile. Look at the replicas.",
          zh: "副本级抢购的买家此时会看到“待确认”。请检查副本。",
        },
      ),
    ),
  ];
}

function processesOf(snapshot: Snapshot, wantsMedia: boolean): Finding[] {
  const findings: Finding[] = [];
  if (gatewaysOf(snapshot).length === 0)
    findings.push(
      finding(
        "stop",
        {
          en: "No gateway is running: nobody can join or buy.",
          zh: "没有运行中的网关：观众无法进入或下单。",
        },
        {
          en: "Start one with npm run gateway, and look into its log.",
          zh: "请用 npm run gateway 启动，并查看其日志。",
        },
      ),
    );
  if (wantsMedia && snapshot.media.length === 0)
    findings.push(
      finding(
        "warn",
        {
          en: "No media process is running: there is no video.",
          zh: "没有运行中的媒体进程：无法观看视频。",
        },
        {
          en: "Start one with npm run media, and look into its log.",
          zh: "请用 npm run media 启动，并查看其日志。",
        },
      ),
    );
  return findings;
}

/** Figures that are too high, in the order in which people feel them. */
const LIMITS = [
  ["holdP99Ms", MAX_HOLD_P99_MS, "Buyers wait", "抢购应答耗时"],
  ["fanoutP99Ms", MAX_FANOUT_P99_MS, "Events reach viewers after", "事件送达观众耗时"],
  ["loopDelayP99Ms", MAX_LOOP_DELAY_MS, "A process stalls for", "进程停顿"],
] as const;

function pressureOf(snapshot: Snapshot): Finding[] {
  const findings: Finding[] = [];
  for (const [figure, most, en, zh] of LIMITS) {
    const { node, value } = worstOf(snapshot, figure);
    if (value > most)
      findings.push(
        finding(
          "warn",
          {
            en: `${en} ${Math.round(value)} ms at p99 (${node}).`,
            zh: `${zh} ${Math.round(value)} 毫秒（p99，${node}）。`,
          },
          {
            en: "Add a gateway, or give this machine less to do.",
            zh: "请增加网关，或减轻本机负载。",
          },
        ),
      );
  }
  if (snapshot.payments.inFlight >= MANY_PAYMENTS)
    findings.push(
      finding(
        "warn",
        {
          en: `${snapshot.payments.inFlight} payments are waiting for the provider.`,
          zh: `有 ${snapshot.payments.inFlight} 笔支付在等待支付渠道。`,
        },
        {
          en: "Look at the payment provider; holds being paid keep their units.",
          zh: "请检查支付渠道；支付中的保留不会丢失。",
        },
      ),
    );
  return findings;
}

function worstOf(
  { nodes }: Snapshot,
  figure: string,
): { readonly node: string; readonly value: number } {
  let worst = { node: "", value: 0 };
  for (const { node, figures } of nodes) {
    const value = figures[figure] ?? 0;
    if (value > worst.value) worst = { node, value };
  }
  return worst;
}
