/**
 * The public proof of a show: its ledger without who bought. One file of lines (NDJSON):
 *
 *     {"dropcast":"ledger proof 1","show":…,"movements":N,"publicKey":…}
 *     the movements, up to number N, each the public part of its ledger line and `,"hash":"H"}`     (line.ts)
 *     where a failover began another epoch, its line                                (stretch.ts)
 *     the checkpoint that signs movement N                                          (checkpoint.ts)
 *
 * The hashes are those of the ledger itself, since the chain covers buyers only as salted commitments: so the signature that the
 * server made while the show ran holds for the proof, and who redacts cannot alter anything. From the file alone anybody can recompute
 * 1. the chain: SHA-256 of each line's bytes before `,"hash"`; `prev` of the first is SHA-256 of "dropcast ledger 1 " + show;
 * 2. the signature: Ed25519 over the last line's bytes before `,"signature"`, by a key to be compared with GET /v1/ledger/key;
 * 3. I1 and I2 at every movement, each hold's one end, totals per drop, the most units that any one buyer had.
 * It shows times, quantities and which purchases in one drop were one buyer's; it does not show who. A buyer who is given
 * their own lines of the ledger (they end with the salts) can find their commitments here and check them, and nobody else's.
 */
import { basename, dirname } from "node:path";
import { type Audit, type Auditor, createAuditor } from "./audit.ts";
import { type Checkpoint, isCheckpoint, readCheckpoint } from "./checkpoint.ts";
import { CHECKPOINTS, type Line, linesOf, linesOfShow } from "./files.ts";
import { publicLine } from "./line.ts";
import type { Reason } from "./reason.ts";
import { isEpochLine, readEpochLine } from "./stretch.ts";

const TITLE = "ledger proof 1";

interface Header {
  readonly show: string;
  readonly movements: number;
  readonly publicKey: string;
}

const writeHeader = ({ show, movements, publicKey }: Header): string =>
  JSON.stringify({ dropcast: TITLE, show, movements, publicKey });

/**
 * The proof's lines, each with its line feed, up to the last checkpoint.
 * @param folder of the show, of which an audit was good @param checkpoint the audit's last
 */
export async function* writeProof(
  folder: string,
  { show, no, hash, publicKey }: Checkpoint,
): AsyncGenerator<string> {
  yield `${writeHeader({ show, movements: no, publicKey })}\n`;
  const isLast = ({ text }: Line): boolean => text.includes(`,"hash":"${hash}"`);
  for await (const lines of linesOfShow(folder)) {
    const end = lines.findIndex(isLast);
    const wanted = end < 0 ? lines : lines.slice(0, end + 1);
    yield wanted.map(({ text }) => `${publicLine(text)}\n`).join("");
    if (end >= 0) break;
  }
  yield `${await checkpointLine(folder, hash)}\n`;
}

async function checkpointLine(folder: string, hash: string): Promise<string> {
  for await (const lines of linesOf(folder, CHECKPOINTS))
    for (const { text } of lines) {
      const read = readCheckpoint(text);
      if (!("en" in read) && read.hash === hash) return text;
    }
  throw new Error("the checkpoint is gone");
}

export interface ProofAudit extends Audit {
  readonly show: string;
  readonly publicKey: string;
}

/** @param publicKey the one that GET /v1/ledger/key gave; without it the proof's own, which is then to be compared */
export async function auditProof(path: string, publicKey?: string): Promise<ProofAudit> {
  const afters = await epochsIn(path);
  let proof: { readonly header: Header; readonly auditor: Auditor } | undefined;
  let isSigned = false;
  let isGood = true;
  for await (const lines of linesOf(dirname(path), basename(path)))
    for (const line of lines)
      if (proof === undefined) {
        const header = readHeader(line);
        if (header === undefined) return notAProof(line);
        const key = publicKey ?? header.publicKey;
        proof = { header, auditor: createAuditor({ show: header.show, publicKey: key, afters }) };
      } else if (isGood) {
        isSigned = isCheckpoint(line.text);
        isGood = proof.auditor.read(line);
      }
  return proof === undefined
    ? notAProof()
    : verdictOn(proof.header, proof.auditor.end(1), isSigned);
}

async function epochsIn(path: string): Promise<readonly number[]> {
  const afters: number[] = [];
  for await (const lines of linesOf(dirname(path), basename(path)))
    for (const { text } of lines) {
      const read = isEpochLine(text) ? readEpochLine(text) : undefined;
      if (read !== undefined && "after" in read) afters.push(read.after);
    }
  return afters;
}

/** @param isSigned the last line is a checkpoint */
function verdictOn(header: Header, audit: Audit, isSigned: boolean): ProofAudit {
  const { lastNo, isUnfinished } = audit;
  const isWhole = isSigned && !isUnfinished && lastNo === header.movements;
  if (audit.bad !== undefined || isWhole) return { ...header, ...audit };
  return { ...header, ...audit, bad: { ...cutShort(lastNo, header.movements), no: lastNo + 1 } };
}

function readHeader({ text }: Line): Header | undefined {
  try {
    const header = JSON.parse(text) as Header;
    return writeHeader(header) === text && typeof header.show === "string" ? header : undefined;
  } catch {
    // Not JSON, so not the header.
    return undefined;
  }
}

const notAProof = (line?: Line): ProofAudit => ({
  ...createAuditor({ show: "" }).end(0),
  show: "",
  publicKey: "",
  bad: { ...NOT_A_PROOF, ...(line && { file: line.file, line: line.line }) },
});

const NOT_A_PROOF: Reason = {
  en: "this file does not begin like a ledger proof",
  zh: "该文件开头不是账本证明",
};

const cutShort = (is: number, due: number): Reason => ({
  en: `the proof is cut short: it has ${is} of ${due} entries, or no signature at its end`,
  zh: `证明不完整：共 ${due} 条，仅有 ${is} 条，或末尾没有签名`,
});
