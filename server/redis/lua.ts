/**
 * Lua scripts as typed functions. Each `.lua` file names its KEYS, ARGV and RETURNS in its first lines; loading refuses to
 * start when those names and the TypeScript ones differ. The script then sees its keys and arguments as locals of those
 * names, the wire's opcodes and field orders as `WIRE`, and what `-- USES` names of the library files beside it.
 */
import { readFileSync } from "node:fs";
import { COMMENT, COUPON, DROP, FRAMES, ORDER, PRODUCT } from "#wire";
import type { Redis } from "ioredis";

/** Log entries kept for catch-ups; who was away longer gets a snapshot. */
const LOG_KEEP = 20_000;

interface ScriptSpec<K extends string, A extends string, R> {
  readonly file: URL;
  readonly keys: readonly K[];
  readonly args: readonly A[];
  /** Bulk strings arrive as Buffers. */
  readonly read: (reply: unknown) => R;
}

type Keys<K extends string> = Readonly<Record<K, string>>;
type Args<A extends string> = Readonly<Record<A, string | number | Buffer>>;

export interface Script<K extends string, A extends string, R> {
  /** Calls the script with named keys and arguments. One round trip, atomic. */
  (keys: Keys<K>, args: Args<A>): Promise<R>;
  /**
   * The same several times, in order, as one transaction: nothing comes between, and under `appendfsync always` Redis syncs its file
   * once for all of them, not once per call. @returns a result per call @throws as a single call does; then some of them may stand
   */
  together(keys: Keys<K>, calls: readonly Args<A>[]): Promise<readonly R[]>;
}

/** Binds a script to a connection. Throws at start-up when the header and the spec disagree. */
export function loadScript<const K extends string, const A extends string, R>(
  redis: Redis,
  spec: ScriptSpec<K, A, R>,
): Script<K, A, R> {
  const lua = readFileSync(spec.file, "utf8");
  const name = spec.file.pathname.replace(/^.*\/|\.lua$/g, "");
  sameNames(name, "KEYS", lua, spec.keys);
  sameNames(name, "ARGV", lua, spec.args);
  const body = [
    PRELUDE,
    ...header(lua, "USES")
      .split(" ")
      .filter(Boolean)
      .map((library) => readFileSync(new URL(`${library}.lua`, spec.file), "utf8")),
    lua,
  ].join("\n");
  const source = [
    locals("KEYS", spec.keys),
    locals("ARGV", spec.args),
    `local WIRE, LOG_KEEP = ${wireFor(body)}, ${LOG_KEEP}`,
    body,
  ].join("\n");
  redis.defineCommand(name, { lua: source, numberOfKeys: spec.keys.length });
  const method = `${name}Buffer`;
  const alone = callOf(redis, method);
  const given = (keys: Keys<K>, args: Args<A>) => [
    ...spec.keys.map((k) => keys[k]),
    ...spec.args.map((a) => args[a]),
  ];
  const call = async (keys: Keys<K>, args: Args<A>): Promise<R> =>
    spec.read(await alone(...given(keys, args)));
  const together = async (keys: Keys<K>, calls: readonly Args<A>[]): Promise<readonly R[]> => {
    const transaction = redis.multi();
    // Its promise is that of the whole.
    for (const args of calls) void callOf(transaction, method)(...given(keys, args));
    const replies = (await transaction.exec().catch(nothingIfRefused)) ?? [];
    // What failed within is called by itself, in order: so it fails as any call does, and the client learns of it.
    return Promise.all(
      calls.map((args, i) => {
        const [fault, reply] = replies[i] ?? [new Error("not carried out")];
        return fault === null ? spec.read(reply) : call(keys, args);
      }),
    );
  };
  return Object.assign(call, { together });
}

/** A command in the queue was refused (a server that is loading, or has not this slot), so none was carried out. @throws all else */
function nothingIfRefused(fault: unknown): undefined {
  if (!(fault instanceof Error && fault.message.startsWith("EXECABORT"))) throw fault;
}

/** @param client a connection or a transaction of it @throws when it has no such command */
function callOf(client: object, method: string): Call {
  const call = (client as Record<string, Call | undefined>)[method];
  if (call === undefined) throw new Error(`ioredis did not define ${method}`);
  return call.bind(client);
}

type Call = (...args: (string | number | Buffer)[]) => Promise<unknown>;

const PRELUDE = readFileSync(new URL("prelude.lua", import.meta.url), "utf8");

/** Frame and record field orders from the wire's one definition, as Lua table entries by name. */
const WIRE: readonly (readonly [name: string, entry: string])[] = [
  ...Object.entries(FRAMES).map(([name, f]) => [name, f.opcode, f.fields] as const),
  ...Object.entries({ DROP, PRODUCT, ORDER, COUPON, COMMENT }).map(
    ([name, r]) => [name, 0, r.fields] as const,
  ),
].map(([name, opcode, fields]) => [name, entry(name, opcode, Object.keys(fields))]);

/** Those that the script names: the table is made anew at every call, so the whole of it would cost more than a hold. */
const wireFor = (source: string): string =>
  `{${WIRE.filter(([name]) => new RegExp(`[".]${name}\\b`).test(source))
    .map(([, fields]) => fields)
    .join(",")}}`;

function entry(name: string, opcode: number, fields: readonly string[]): string {
  return `${name}={${[opcode, ...fields.map((f) => `"${f}"`)].join(",")}}`;
}

const header = (source: string, label: string): string =>
  new RegExp(`^-- ${label} +(.*)$`, "m").exec(source)?.[1]?.trim() ?? "";

const locals = (table: "KEYS" | "ARGV", names: readonly string[]): string =>
  names.length === 0
    ? ""
    : `local ${names.join(", ")} = ${names.map((_, i) => `${table}[${i + 1}]`).join(", ")}`;

function sameNames(
  script: string,
  label: "KEYS" | "ARGV",
  source: string,
  expected: readonly string[],
): void {
  const said = header(source, label);
  if (said !== expected.join(" "))
    throw new Error(
      `${script}.lua says ${label} "${said}", TypeScript says "${expected.join(" ")}"`,
    );
}
