/**
 * `npm run rehearse`: a bounded rehearsal of a live show on real sockets. Viewers join, comment and like, everybody buys at the
 * second a drop opens; then the report, from what the viewers saw and from the drop's books, and a go or no-go.
 */
import { parseArgs } from "node:util";
import { findServer, NoServer, type TargetServer } from "./server.ts";
import { openShop } from "./shop.ts";
import { drive, type Plan } from "./swarm/drive.ts";
import { reportText } from "./swarm/report.ts";
import { startSwarm } from "./swarm/swarm.ts";
import { verdictOn, verdictText } from "./verdict.ts";

const help = `npm run rehearse -- [options]

  --viewers N   [1000]
  --seconds N   of talk, with the rush in the middle  [12]
  --units N     in the drop                           [100]
  --comments N  per second, all together              [5 % of the viewers]
  --likes N     per second, all together              [50 % of the viewers]
  --rush-ms N   time within which everybody taps      [1000]
  --json        the outcome and the verdict as one JSON object

The server: BASE_URL with ADMIN_KEY, else the one that runs here, else one of its own with its data in a temporary folder. The
rehearsal makes a show of its own and ends it. Server and generator share this machine unless BASE_URL says otherwise: the
report shows the generator's own lag, and above 50 ms (p99) its latencies are upper bounds.
It also warms the server: the first rush of a process, whose code is not compiled yet, is about half as fast as its third.
`;

const { values } = parseArgs({
  options: {
    viewers: { type: "string", default: "1000" },
    seconds: { type: "string", default: "12" },
    units: { type: "string", default: "100" },
    comments: { type: "string" },
    likes: { type: "string" },
    "rush-ms": { type: "string", default: "1000" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});

const say = (text: string): void => void process.stderr.write(`… ${text}\n`);
const HOLD_MS = 120_000;
/** All are let in within about this time. */
const JOIN_SECONDS = 5;

async function rehearse(server: TargetServer): Promise<number> {
  const viewers = Number(values.viewers);
  const units = Number(values.units);
  const seconds = Number(values.seconds);
  const shop = await openShop(server, "rehearsal", units);
  say(`${viewers} viewers join the show ${shop.show} on ${server.baseUrl}`);
  const swarm = await startSwarm({
    url: server.rtUrl,
    show: shop.show,
    viewers,
    joinsPerSecond: Math.max(200, viewers / JOIN_SECONDS),
    token: shop.viewerToken,
  });
  let dropId = "";
  const plan: Plan = {
    viewers,
    seconds,
    commentsPerSecond: Number(values.comments ?? viewers * 0.05),
    likesPerSecond: Number(values.likes ?? viewers * 0.5),
    drop: async () => {
      const startsAtMs = (await shop.serverNowMs()) + (seconds * 1000) / 2;
      const drop = await shop.newDrop({ units, startsAtMs, holdMs: HOLD_MS });
      ({ dropId } = drop);
      return { dropId, atMs: drop.startsAtMs, withinMs: Number(values["rush-ms"]) };
    },
  };
  try {
    const outcome = await drive(swarm, plan, say);
    const verdict = verdictOn(outcome, await shop.drop(dropId), units);
    process.stdout.write(
      values.json
        ? `${JSON.stringify({ outcome, verdict })}\n`
        : `\n${reportText(outcome)}\n\n${verdictText(verdict)}`,
    );
    return verdict.word === "noGo" ? 1 : 0;
  } finally {
    await swarm.close();
    await shop.end();
  }
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  try {
    const server = await findServer(say);
    // Load processes end with this one; a server of ours must be ended.
    const end = (): void => void server.stop().then(() => process.exit(130));
    process.once("SIGINT", end).once("SIGTERM", end);
    try {
      return await rehearse(server);
    } finally {
      await server.stop();
    }
  } catch (error) {
    if (!(error instanceof NoServer)) throw error;
    process.stderr.write(`✗ ${error.message}\n`);
    return 1;
  }
}

process.exitCode = await main();
