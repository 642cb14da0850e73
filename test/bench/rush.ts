/**
 * A rush: 10,000 connected buyers tap at once for 1,000 units, against a real gateway on a real Redis (fsync always), all on this
 * machine. Beside it in the same run: the same gateway without batches, one call per buyer; and uWebSockets.js alone, which
 * echoes every tap: what sockets and generator allow. One after the other, each anew in every pass, so that no more buyers are
 * connected than there are; a pass begins with another one. Every round sells a fresh drop. Fails unless everybody is answered
 * once, exactly the allotment is held, and Redis agrees.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type NativeCrowd, startNativeCrowd, type Tapped } from "../../load/native/crowd.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { type Bench, type BenchRun, owning } from "./bench.ts";
import { cpuSecondsOf, LOAD_CORES, pin, pinPrefix } from "./machine.ts";
import { median, type Row } from "./rows.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { openShow, startGatewayOn, startStore, type Store, viewerToken } from "./world.ts";

const UNITS_SHARE = 0.1;
/** For stock frames, figures and the room's clock to have gone out. */
const SETTLE_MS = 700;
/** The first rush of a process is slower: its code is not compiled yet. */
const WARM_ROUNDS = 2;
const ROUNDS = 3;
const PASSES = 2;

/** Of one rush against one subject. */
interface Figures {
  readonly perSecond: number;
  readonly p99Ms: number;
  /** Of gateway and Redis per decision: until the last answer, and until all is quiet again, broadcasts included. */
  readonly cpuUs: number;
  readonly settledCpuUs: number;
  /** The same for a tap after the drop has sold out. */
  readonly refusalCpuUs: number;
}

/** One rush. */
type Subject = () => Promise<Figures>;

export const rush: Bench = {
  name: "rush",
  says: "10,000 connected buyers tap at once for 1,000 units: decisions per second, p99, CPU per decision",
  async run(run) {
    const buyers = run.quick ? 3000 : 10_000;
    const store = await startStore();
    run.owns(store.stop);
    // The gateway has a core of its own, like the server of the control row; Redis is with the crowd.
    pin(store.process.pid, LOAD_CORES);
    const subjects: Record<Name, (own: BenchRun) => Promise<Subject>> = {
      batched: (own) => gatewaySubject(own, store, buyers, {}),
      unbatched: (own) => gatewaySubject(own, store, buyers, { HOLD_BATCH: "1" }),
      echo: (own) => echoSubject(own, buyers),
    };
    const found: Record<Name, Figures[]> = { batched: [], unbatched: [], echo: [] };
    for (let pass = 0; pass < (run.quick ? 1 : PASSES); pass++)
      for (const name of NAMES.map((_, i) => NAMES[(i + pass) % NAMES.length] as Name))
        await owning(async (owns) => {
          const rushOnce = await subjects[name]({ ...run, owns });
          for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
            const figures = await rushOnce();
            run.say(`rush: ${name} ${Object.entries(figures).map(shown).join(" ")}`);
            if (round >= 0) found[name].push(figures);
          }
        });
    const row = (name: string, of: keyof Figures, unit: string): Row[] => [
      {
        row: name,
        value: median(found.batched.map((figures) => figures[of])),
        unit,
        controls: [`${name}-unbatched`, `${name}-echo`],
      },
      ...(["unbatched", "echo"] as const).map((control) => ({
        row: `${name}-${control}`,
        value: median(found[control].map((figures) => figures[of])),
        unit,
        controls: [],
      })),
    ];
    return [
      ...row("rush", "perSecond", "decisions/s"),
      ...row("rush-p99", "p99Ms", "ms"),
      ...row("rush-cpu", "cpuUs", "µs"),
      ...row("rush-cpu-settled", "settledCpuUs", "µs"),
      ...row("refusal-cpu", "refusalCpuUs", "µs"),
    ];
  },
};

const NAMES = ["batched", "unbatched", "echo"] as const;
type Name = (typeof NAMES)[number];

const shown = ([name, value]: [string, number]): string =>
  `${name} ${Number(value.toPrecision(3))}`;

let subjects = 0;
let taps = 0;

async function gatewaySubject(
  run: BenchRun,
  store: Store,
  buyers: number,
  env: Readonly<Record<string, string>>,
): Promise<Subject> {
  const show = `rush${++subjects}`;
  await openShow(store, show);
  const gateway = await startGatewayOn(store, env);
  run.owns(gateway.stop);
  const units = Math.round(buyers * UNITS_SHARE);
  run.say(`rush: ${buyers} buyers join`);
  const crowd = await startCrowd(run, { port: gateway.port, show, buyers });
  const cpu = (): number => cpuSecondsOf(gateway.pid) + cpuSecondsOf(store.process.pid);
  return async () => {
    const dropId = await newDrop(store, show, units);
    await sleep(SETTLE_MS);
    const sold = await measured(cpu, buyers, () => crowd.tap(dropId));
    await check(store.redis, showKeys(show).drops, { dropId, units, tapped: sold.tapped });
    const refused = await measured(cpu, buyers, () => crowd.tap(dropId));
    if (refused.tapped.soldOut !== buyers) throw new Error("not everybody was refused");
    return {
      perSecond: buyers / (sold.tapped.tookMs / 1000),
      p99Ms: sold.tapped.p99Ms,
      cpuUs: sold.cpuUs,
      settledCpuUs: sold.settledCpuUs,
      refusalCpuUs: refused.cpuUs,
    };
  };
}

async function echoSubject(run: BenchRun, buyers: number): Promise<Subject> {
  const server: ServerProcess = await startServer("uws-server.ts");
  run.owns(server.stop);
  const crowd = await startCrowd(run, { port: server.port, buyers });
  return async () => {
    const { tapped, cpuUs, settledCpuUs } = await measured(
      () => cpuSecondsOf(server.pid),
      buyers,
      () => crowd.tap("echo"),
    );
    if (tapped.echoed !== buyers) throw new Error("not everybody heard an echo");
    const perSecond = buyers / (tapped.tookMs / 1000);
    return { perSecond, p99Ms: tapped.p99Ms, cpuUs, settledCpuUs, refusalCpuUs: cpuUs };
  };
}

async function measured(cpu: () => number, buyers: number, tap: () => Promise<Tapped>) {
  const before = cpu();
  const tapped = await tap();
  const cpuUs = ((cpu() - before) / buyers) * 1e6;
  await sleep(SETTLE_MS);
  return { tapped, cpuUs, settledCpuUs: ((cpu() - before) / buyers) * 1e6 };
}

/** @throws unless exactly the allotment is held, in the buyers' eyes and in Redis */
async function check(
  redis: Store["redis"],
  drops: string,
  { dropId, units, tapped }: { dropId: string; units: number; tapped: Tapped },
): Promise<void> {
  const { held, available, state } = JSON.parse((await redis.hget(drops, dropId)) ?? "{}") as {
    readonly held: number;
    readonly available: number;
    readonly state: string;
  };
  if (held !== units || available !== 0 || state !== "soldOut" || tapped.held !== units)
    throw new Error(`${tapped.held} buyers hold, Redis says ${held}, of ${units} (${state})`);
}

async function newDrop({ inventory }: Store, show: string, units: number): Promise<string> {
  const dropId = `d${String(++taps).padStart(12, "0")}`;
  const times = { holdMs: 600_000, startsAtMs: 0, endsAtMs: Date.now() + 3_600_000 };
  const terms = { dropId, sku: "tea", priceCents: 9900, allotment: units, perBuyerLimit: 1 };
  const [answer] = await inventory.allot(show, { ...terms, ...times });
  if (answer !== "allotted") throw new Error(`the drop was not made: ${answer}`);
  return dropId;
}

async function startCrowd(
  run: BenchRun,
  {
    port,
    show,
    buyers,
  }: { readonly port: number; readonly show?: string; readonly buyers: number },
): Promise<Crowd> {
  const isOurs = show !== undefined;
  const token = isOurs ? viewerToken(show) : async () => "";
  const crowd = await startNativeCrowd({
    port,
    show: show ?? "",
    tokens: await Promise.all(Array.from({ length: buyers }, (_, i) => token(i))),
    prefix: pinPrefix(LOAD_CORES),
    ...(!isOurs && { dialect: "plain" as const, path: "/" }),
  });
  run.owns(() => crowd.close());
  let round = 0;
  return { ...crowd, tap: (dropId) => crowd.tap(dropId, `${++round}`) };
}

type Crowd = Omit<NativeCrowd, "tap"> & { tap(dropId: string): Promise<Tapped> };
