/**
 * Thousands of viewers in a small C program (crowd.c), compiled here where it is first needed: a client in Node costs about as much
 * CPU as the server it asks, and on two cores would be what limits a bench. Decides nothing: frames are packed here by the wire's own
 * codec, and what was heard is counted there by opcode.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { encodeUp, FRAMES, RT_PATH, SUBPROTOCOLS } from "#wire";
import { NoProgram } from "../go-program.ts";
import { DIALECTS, type DialectName } from "../swarm/dialects.ts";
import { framed, framedText } from "../swarm/wire-socket.ts";

export interface CrowdOptions {
  readonly port: number;
  /** Of a server that speaks our wire. */
  readonly path?: string;
  readonly show: string;
  /** One per viewer. */
  readonly tokens: readonly string[];
  /** Of a server that does not speak our wire. */
  readonly dialect?: DialectName;
  /** Put before the command: where it may run. */
  readonly prefix?: readonly string[];
}

export interface Counts {
  readonly frames: number;
  readonly closes: number;
  /** Of the crowd itself. */
  readonly cpuSeconds: number;
  readonly byOpcode: Readonly<Record<string, number>>;
}

/** One rush: everybody tapped once, and was answered once. */
export interface Tapped {
  readonly held: number;
  readonly soldOut: number;
  /** Of those: by the event "sold out" alone. */
  readonly rode: number;
  /** By a server that decides nothing. */
  readonly echoed: number;
  /** From the first tap to the last answer. */
  readonly tookMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface NativeCrowd {
  /** @throws when somebody was not answered within 20 s, or answered twice, or otherwise than held or sold out */
  tap(dropId: string, prefix: string): Promise<Tapped>;
  /** @throws when something unlawful was heard */
  counts(): Promise<Counts>;
  /** Whether it polls without sleeping: then nobody pays for waking it. */
  spin(on: boolean): void;
  close(): Promise<void>;
}

const SOURCES = ["crowd.c", "hear.c", "crowd.h"].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);
const OPCODES = {
  OP_JOINED: FRAMES.joined.opcode,
  OP_FAILED: FRAMES.failed.opcode,
  OP_HOLD_ANSWERED: FRAMES.holdAnswered.opcode,
  OP_ORDER_CHANGED: FRAMES.orderChanged.opcode,
  OP_DROP_SOLD_OUT: FRAMES.dropSoldOut.opcode,
  OP_HOLD: FRAMES.hold.opcode,
  OP_TAP: FRAMES.tap.opcode,
};
/** What a hold's first byte behind the opcode is: it fits into one, as the program counts on. */
const ID = 1;

/** @returns the program's path, compiled if it is not here yet @throws NoProgram */
function compiled(): string {
  const flags = ["-O2", ...Object.entries(OPCODES).map(([name, opcode]) => `-D${name}=${opcode}`)];
  const hash = createHash("sha256").update(flags.join(" "));
  for (const file of SOURCES) hash.update(readFileSync(file));
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const dir = join(cache, "dropcast");
  const program = join(dir, `crowd-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(program)) return program;
  mkdirSync(dir, { recursive: true });
  const unfinished = `${program}.${process.pid}`;
  const sources = SOURCES.filter((file) => file.endsWith(".c"));
  const made = spawnSync("cc", [...flags, ...sources, "-o", unfinished], { encoding: "utf8" });
  if (made.status !== 0) {
    const why = made.error === undefined ? made.stderr : "there is no C compiler here";
    throw new NoProgram(
      `the load program could not be compiled: ${why}. As root: apt-get install gcc libc6-dev`,
    );
  }
  renameSync(unfinished, program);
  return program;
}

/** Everybody in. @throws NoProgram, or when not all get in */
export async function startNativeCrowd(options: CrowdOptions): Promise<NativeCrowd> {
  const { show, tokens, dialect, path = RT_PATH, prefix = [] } = options;
  const dir = mkdtempSync(join(tmpdir(), "dropcast-crowd-"));
  const file = (name: string, frames: Iterable<Uint8Array>): string => {
    const at = join(dir, name);
    writeFileSync(at, Buffer.concat(Array.from(frames, withLength)));
    return at;
  };
  const greetings = tokens.map((token, i) =>
    greeting(dialect, { token, show, client: `native-${i}` }),
  );
  const [program, ...args] = [
    ...prefix,
    compiled(),
    String(options.port),
    path,
    dialect === undefined ? SUBPROTOCOLS[0] : "",
    dialect ?? "dropcast",
    dialect === "plain" ? "" : file("greetings", greetings),
    String(tokens.length),
  ];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the crowd's program ended");
    const said = JSON.parse(value) as { readonly error?: string; readonly wrong?: string };
    const wrong = said.error ?? said.wrong ?? "";
    if (wrong !== "") throw new Error(wrong);
    return said;
  };
  const ask = (order: string): Promise<unknown> => {
    child.stdin.write(`${order}\n`);
    return answer();
  };
  await answer();
  if (dialect === undefined) {
    const beat = framed(
      encodeUp("beat", { offset: Number.MAX_SAFE_INTEGER, tick: 0, clientAtMs: 0 }),
    );
    child.stdin.write(
      `beat ${file(
        "beats",
        tokens.map(() => beat),
      )}\n`,
    );
  }
  return {
    tap(dropId, round) {
      const frames = tokens.flatMap((_, i) => tapsOf(dropId, `${round}-${i}-`.padEnd(22, "x")));
      return ask(`tap ${file("taps", frames)} ${dropId}`) as Promise<Tapped>;
    },
    counts: () => ask("count") as Promise<Counts>,
    spin: (on) => void child.stdin.write(`spin ${on ? 1 : 0}\n`),
    async close() {
      const ended = once(child, "exit");
      child.stdin.end();
      if (child.exitCode === null) await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** First as one whose refusal may ride on "sold out", then as one who knows already that it is. */
const tapsOf = (dropId: string, key: string): Uint8Array[] => {
  const asked = { id: ID, key, dropId, quantity: 1, attempt: 0 };
  return [framed(encodeUp("tap", { ...asked, restockEpoch: 0 })), framed(encodeUp("hold", asked))];
};

function greeting(
  dialect: DialectName | undefined,
  who: { token: string; show: string; client: string },
): Uint8Array {
  if (dialect === undefined) return framed(encodeUp("hello", { ...who, epoch: "", offset: 0 }));
  return framedText(DIALECTS[dialect].greeting);
}

function withLength(frame: Uint8Array): Buffer {
  const bytes = Buffer.alloc(2 + frame.length);
  bytes.writeUInt16LE(frame.length);
  bytes.set(frame, 2);
  return bytes;
}
