/**
 * `npm run verify`: verifies the ledger of a show, or a public proof, and says so in figures; or names the first bad entry.
 * Reads files, and Redis where it is in reach; changes neither. Exit code 0: verified · 1: not · 2: the call itself is wrong.
 */
import { createWriteStream, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parseArgs } from "node:util";
import { type Config, readConfig } from "../config.ts";
import { auditFolder } from "../ledger/audit.ts";
import { ledgerFolder, segmentsIn, showFolder, showsIn } from "../ledger/files.ts";
import { readPublicKey } from "../ledger/key.ts";
import { compareLive } from "../ledger/live.ts";
import { auditProof, writeProof } from "../ledger/proof.ts";
import { badOf, jsonOf, textOf, type Verification } from "../ledger/report.ts";
import { print } from "../log.ts";
import { connectRedis, whenReady } from "../redis/connect.ts";
import { socketPathFor } from "../redis/socket-path.ts";
import { Refusal } from "../refusal.ts";

const HELP = `核对账本 · Verifies a ledger

  npm run verify -- --show ID            核对一个场次 · one show: files, signatures, live state
  npm run verify -- --proof-file FILE    核对公开证明，无需服务器 · a public proof, without any server

  --proof [FILE]    输出脱敏的公开证明 · prints the public proof, without viewers and holds (or writes it to FILE)
  --key FILE        应由此公钥签名（PEM）· who must have signed; default: this server's key
  --data-dir DIR    数据目录 · data folder [DATA_DIR, .dropcast]
  --redis URL       Redis 地址 · redis://… or unix:///…; "no": files only [REDIS_URL, or the one in the data folder]
  --json            以 JSON 输出 · one JSON object instead of text
  --help

  退出码 exit code: 0 无误 verified · 1 有误 not verified · 2 用法错误 wrong usage
`;

const REACH_MS = 1500;

interface Wishes {
  readonly show: string | undefined;
  readonly proofFile: string | undefined;
  /** undefined: none; "": to the screen. */
  readonly proof: string | undefined;
  readonly key: string | undefined;
  readonly dataDir: string;
  readonly redis: string;
  readonly json: boolean;
}

const OPTIONS = {
  show: { type: "string" },
  "proof-file": { type: "string" },
  proof: { type: "string" },
  key: { type: "string" },
  "data-dir": { type: "string" },
  redis: { type: "string" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** @returns undefined when only help is wanted @throws TypeError, Refusal */
function readWishes(words: readonly string[]): Wishes | undefined {
  // `--proof` may stand alone; parseArgs knows no optional values.
  const args = words.map((word, i) =>
    word === "--proof" && (words[i + 1] ?? "--").startsWith("--") ? "--proof=" : word,
  );
  const { values } = parseArgs({ args, options: OPTIONS });
  if (values.help) return undefined;
  const config: Config = readConfig();
  const dataDir = values["data-dir"] === undefined ? config.dataDir : resolve(values["data-dir"]);
  return {
    show: values.show,
    proofFile: values["proof-file"],
    proof: values.proof,
    key: values.key,
    dataDir,
    redis: values.redis ?? config.redisUrl ?? `unix://${socketPathFor(join(dataDir, "redis"))}`,
    json: values.json,
  };
}

function keyIn(file: string): string {
  const key = readPublicKey(file);
  if (key === undefined) throw new Refusal(`没有公钥 · there is no key: ${file}`);
  return key;
}

async function verifyProof(file: string, key: string | undefined): Promise<Verification> {
  if (!existsSync(file)) throw new Refusal(`没有此文件 · there is no file ${file}`);
  const audit = await auditProof(resolve(file), key === undefined ? undefined : keyIn(key));
  const publicKey = audit.lastCheckpoint?.publicKey;
  return { show: audit.show, publicKey, audit, live: "notAsked" };
}

async function verifyShow(show: string, wishes: Wishes): Promise<Verification> {
  const folder = showFolder(ledgerFolder(wishes.dataDir), show);
  const key = wishes.key === undefined ? readPublicKey(wishes.dataDir) : keyIn(wishes.key);
  const audit = await auditFolder(folder, { show, publicKey: key });
  const publicKey = audit.lastCheckpoint?.publicKey;
  const { replay, lastNo } = audit;
  const live =
    audit.bad === undefined
      ? await withRedis(wishes.redis, (redis) =>
          compareLive({ redis, show, folder, replay, lastNo }),
        )
      : "notAsked";
  const found = { show, publicKey, audit, live: live ?? "noShow" } as const;
  if (typeof found.live === "string" && segmentsIn(folder).length === 0)
    throw new Refusal(
      `没有场次 ${show} 的账本 · there is no ledger of show ${show} in ${wishes.dataDir}`,
      `现有 · there are: ${showsIn(ledgerFolder(wishes.dataDir)).join(", ") || "无 none"}`,
    );
  return found;
}

async function withRedis<T>(
  url: string,
  look: (redis: ReturnType<typeof connectRedis>) => Promise<T>,
): Promise<T | "noRedis"> {
  const isThere = url !== "no" && (!url.startsWith("unix://") || existsSync(url.slice(7)));
  if (!isThere) return "noRedis";
  const redis = connectRedis(url, "command");
  try {
    const isUp = await whenReady(redis, REACH_MS).then(
      () => true,
      () => false,
    );
    return isUp ? await look(redis) : "noRedis";
  } finally {
    redis.disconnect();
  }
}

/** @returns where it went */
async function giveProof(verification: Verification, to: string, dataDir: string): Promise<string> {
  const { show, audit } = verification;
  const { lastCheckpoint } = audit;
  if (lastCheckpoint === undefined)
    throw new Refusal("尚无签名，没有可公开的证明 · nothing is signed yet, so there is no proof");
  const lines = writeProof(showFolder(ledgerFolder(dataDir), show), lastCheckpoint);
  if (to === "") for await (const text of lines) print(text);
  else await pipeline(Readable.from(lines, { objectMode: false }), createWriteStream(to));
  return to;
}

async function verify(wishes: Wishes): Promise<number> {
  const { show, proofFile, proof } = wishes;
  if ((show === undefined) === (proofFile === undefined))
    throw new Refusal("请指定 --show 或 --proof-file · give either --show or --proof-file");
  const verification =
    proofFile === undefined
      ? await verifyShow(show ?? "", wishes)
      : await verifyProof(proofFile, wishes.key);
  const isGood = badOf(verification) === undefined;
  const gives = isGood && proof !== undefined && proofFile === undefined;
  if (gives) await giveProof(verification, proof, wishes.dataDir);
  // A proof on the screen is all that goes there, so that it can be piped into a file.
  if (!gives || proof !== "")
    print(wishes.json ? `${jsonOf(verification)}\n` : textOf(verification));
  return isGood ? 0 : 1;
}

try {
  const wishes = readWishes(process.argv.slice(2));
  if (wishes === undefined) print(HELP);
  else process.exitCode = await verify(wishes);
} catch (error) {
  const isUsage = error instanceof TypeError && "code" in error;
  if (!(error instanceof Refusal) && !isUsage) throw error;
  const problems = error instanceof Refusal ? error.problems : [error.message];
  for (const problem of problems) print(`✗ ${problem}\n`);
  print("  npm run verify -- --help\n");
  process.exitCode = 2;
}
