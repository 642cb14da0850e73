/** The swarm by hand: `node load/swarm/main.ts --help`. Joins a show that exists, talks, buys, and prints what it saw. */
import { parseArgs } from "node:util";
import { drive, type Plan } from "./drive.ts";
import { reportText } from "./report.ts";
import { startSwarm } from "./swarm.ts";

const help = `node load/swarm/main.ts [options]: many viewers in one show

  --base URL        control API, for join tokens   [http://127.0.0.1:8080, or BASE_URL]
  --rt URL          WebSocket; several: comma      [ws://127.0.0.1:8081, or RT_URL]
  --show ID         show to join                   [demo]
  --viewers N                                      [500]
  --joins N         joins per second               [500]
  --comments N      comments per second, all together; a viewer may say one per second   [10]
  --likes N         likes per second, all together [50]
  --seconds N       how long they talk             [15]
  --drop ID         drop that everybody asks for once
  --hold-in N       seconds until they do          [5]
  --rush-ms N       time within which all of them do  [1000]
  --json            the outcome as one JSON object

ADMIN_KEY lets all tokens be fetched at once; without it the server gives out so many per second and address.
`;

const OPTIONS = {
  base: { type: "string", default: process.env["BASE_URL"] ?? "http://127.0.0.1:8080" },
  rt: { type: "string", default: process.env["RT_URL"] ?? "ws://127.0.0.1:8081" },
  show: { type: "string", default: "demo" },
  viewers: { type: "string", default: "500" },
  joins: { type: "string", default: "500" },
  comments: { type: "string", default: "10" },
  likes: { type: "string", default: "50" },
  seconds: { type: "string", default: "15" },
  drop: { type: "string" },
  "hold-in": { type: "string", default: "5" },
  "rush-ms": { type: "string", default: "1000" },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

async function fetchToken(base: string, show: string): Promise<string> {
  const key = process.env["ADMIN_KEY"];
  const answer = await fetch(`${base}/v1/shows/${show}/tokens`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify({ role: "viewer" }),
  });
  if (!answer.ok) throw new Error(`no token: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { token: string }).token;
}

const { values } = parseArgs({ options: OPTIONS });
const say = (text: string): void => void process.stderr.write(`… ${text}\n`);

async function main(): Promise<void> {
  const viewers = Number(values.viewers);
  const { drop } = values;
  const plan: Plan = {
    viewers,
    seconds: Number(values.seconds),
    commentsPerSecond: Number(values.comments),
    likesPerSecond: Number(values.likes),
    drop:
      drop === undefined
        ? undefined
        : async () => {
            await new Promise((resolve) => setTimeout(resolve, Number(values["hold-in"]) * 1000));
            return { dropId: drop, atMs: 0, withinMs: Number(values["rush-ms"]) };
          },
  };
  const swarm = await startSwarm({
    url: values.rt.split(","),
    show: values.show,
    viewers,
    joinsPerSecond: Number(values.joins),
    token: () => fetchToken(values.base, values.show),
  });
  try {
    const outcome = await drive(swarm, plan, say);
    process.stdout.write(values.json ? `${JSON.stringify(outcome)}\n` : `${reportText(outcome)}\n`);
  } finally {
    await swarm.close();
  }
}

if (values.help) process.stdout.write(help);
else await main();
