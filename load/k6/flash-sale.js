/**
 * A flash sale as buyers live it: every VU gets a token, joins by WebSocket (JSON subprotocol), waits for the drop's start on the
 * server's clock, asks once under one key, repeats the key when told to, and leaves with its answer.
 * Checks: everyone got in, everyone was answered, exactly the allotment was held, nobody twice, and the books balance.
 * Set by `npm run k6 -- flash-sale` (load/k6/run.ts): BASE_URL, RT_URL, ADMIN_KEY, VUS, UNITS, RUSH_MS, HOLD_P99_MS.
 */
import exec from "k6/execution";
import http from "k6/http";
import { check } from "k6";
import { Counter, Rate, Trend } from "k6/metrics";
import { WebSocket } from "k6/websockets";
import { FRAMES } from "../../client-sdk/protocol/frames.ts";

const VUS = Number(__ENV.VUS || 200);
const UNITS = Number(__ENV.UNITS || 50);
/** Buyers tap within this time of the start. */
const RUSH_MS = Number(__ENV.RUSH_MS || 1000);
const HOLD_P99_MS = Number(__ENV.HOLD_P99_MS || 2000);
/** From set-up to the start: time for everybody to get in. */
const LEAD_MS = Number(__ENV.LEAD_MS || 5000 + 15 * VUS);
const ANSWER_WITHIN_MS = 15_000;
const HOLD_MS = 120_000;
const HELD = Math.min(VUS, UNITS);

const OP = Object.fromEntries(Object.entries(FRAMES).map(([name, { opcode }]) => [name, opcode]));
/** Place of a field in its frame's array. */
const at = (frame, field) => 1 + Object.keys(FRAMES[frame].fields).indexOf(field);

/** A frame as JSON text: its opcode, then its fields in wire order. */
const frameOf = (name, body) =>
  JSON.stringify([OP[name], ...Object.keys(FRAMES[name].fields).map((field) => body[field])]);

const held = new Counter("dropcast_held");
const soldOut = new Counter("dropcast_sold_out");
const repeats = new Counter("dropcast_repeats");
const joined = new Rate("dropcast_joined");
const answered = new Rate("dropcast_answered");
const joinMs = new Trend("dropcast_join_ms", true);
const holdMs = new Trend("dropcast_hold_ms", true);

export const options = {
  scenarios: {
    buyers: {
      executor: "per-vu-iterations",
      vus: VUS,
      iterations: 1,
      maxDuration: `${Math.ceil((LEAD_MS + RUSH_MS) / 1000) + 40}s`,
    },
  },
  setupTimeout: "60s",
  thresholds: {
    checks: ["rate==1"],
    dropcast_joined: ["rate==1"],
    dropcast_answered: ["rate==1"],
    dropcast_held: [`count==${HELD}`],
    dropcast_hold_ms: [`p(99)<${HOLD_P99_MS}`],
  },
};

const { BASE_URL, RT_URL, ADMIN_KEY } = __ENV;

function call(method, path, body) {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
  const answer = http.request(
    method,
    `${BASE_URL}/v1${path}`,
    body === undefined ? null : JSON.stringify(body),
    {
      headers,
      tags: { name: path.replace(/k6-[^/]+/, ":show").replace(/\/drops\/.+/, "/drops/:drop") },
    },
  );
  if (answer.status >= 300) exec.test.abort(`${method} ${path}: ${answer.status} ${answer.body}`);
  return answer;
}

export function setup() {
  const show = `k6-${Date.now().toString(36)}`;
  call("POST", "/shows", { id: show, title: "k6 flash sale", currency: "CNY" });
  call("POST", `/shows/${show}/products`, {
    sku: "teapot",
    title: "Teapot",
    priceCents: 19_900,
    stock: UNITS,
  });
  const started = call("POST", `/shows/${show}/start`);
  // The server's clock to a second is enough to plan; each buyer learns it to the millisecond.
  const startsAtMs = Date.parse(started.headers.Date) + LEAD_MS;
  const drop = call("POST", `/shows/${show}/drops`, {
    sku: "teapot",
    priceCents: 9900,
    allotment: UNITS,
    perBuyerLimit: 1,
    holdMs: HOLD_MS,
    startsAtMs,
    endsAtMs: startsAtMs + 600_000,
  });
  return { show, dropId: drop.json("dropId"), startsAtMs };
}

export default function buyer({ show, dropId, startsAtMs }) {
  const viewerId = `buyer-${exec.vu.idInTest}`;
  const token = call("POST", `/shows/${show}/tokens`, { role: "viewer", viewerId }).json("token");
  const key = `${show}-${viewerId}`.slice(0, 40);
  const ws = new WebSocket(`${RT_URL}/v1/rt`, ["dropcast.v1.json"]);
  const openedAtMs = Date.now();
  let isIn = false;
  let isAnswered = false;
  let askedAtMs = 0;
  let attempt = 0;
  let aheadMs = 0;

  const send = (name, body) => ws.send(frameOf(name, body));
  const ask = () => {
    if (askedAtMs === 0) askedAtMs = Date.now();
    send("hold", { id: 1, key, dropId, quantity: 1, attempt: attempt++ });
  };
  const beating = setInterval(() => {
    // It does not look at offsets: with less than all read it would be sent the missing events.
    const offset = Number.MAX_SAFE_INTEGER;
    if (isIn) send("beat", { offset, tick: 0, clientAtMs: Date.now() });
  }, 20_000);
  const giveUp = setTimeout(() => ws.close(), startsAtMs - Date.now() + RUSH_MS + ANSWER_WITHIN_MS);

  const onFrame = {
    [OP.welcome]: (frame) => {
      aheadMs = frame[at("welcome", "serverAtMs")] - Date.now();
    },
    [OP.joined]: () => {
      isIn = true;
      joinMs.add(Date.now() - openedAtMs);
      setTimeout(ask, Math.max(0, startsAtMs - (Date.now() + aheadMs)) + Math.random() * RUSH_MS);
    },
    [OP.failed]: (frame) => {
      if (!frame[at("failed", "retryable")]) return ws.close();
      repeats.add(1);
      setTimeout(ask, Math.max(100, frame[at("failed", "retryAfterMs")]));
    },
    [OP.holdAnswered]: (frame) => {
      const result = frame[at("holdAnswered", "result")];
      isAnswered = true;
      holdMs.add(Date.now() - askedAtMs);
      if (result === "held") held.add(1);
      if (result === "soldOut") soldOut.add(1);
      check(result, { "held or sold out": (r) => r === "held" || r === "soldOut" });
      ws.close();
    },
  };
  ws.addEventListener("open", () =>
    send("hello", { token, show, client: "k6", epoch: "", offset: 0 }),
  );
  ws.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(data);
    onFrame[frame[0]]?.(frame);
  });
  ws.addEventListener("close", () => {
    clearInterval(beating);
    clearTimeout(giveUp);
    joined.add(isIn);
    answered.add(isAnswered);
  });
}

export function teardown({ show, dropId }) {
  const drop = call("GET", `/shows/${show}/drops/${dropId}`).json();
  check(drop, {
    "exactly the allotment is held": (d) => d.held + d.sold === HELD,
    "the books balance": (d) =>
      d.allotted + d.restocked === d.available + d.held + d.sold + d.writtenOff,
  });
  call("POST", `/shows/${show}/end`);
}
