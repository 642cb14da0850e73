/**
 * The closing check of every fault run: I1 to I10 of PRODUCT.md, from the ledger, from what Redis holds, and above all from what the
 * clients saw themselves. Each expectation names the invariant that it stands for.
 */
import type { Redis } from "ioredis";
import { expect } from "vitest";
import type { ViewerHistory } from "../../load/swarm/history.ts";
import { auditFolder } from "../../server/ledger/audit.ts";
import { ledgerFolder, showFolder } from "../../server/ledger/files.ts";
import { compareLive } from "../../server/ledger/live.ts";
import { showKeys } from "../../server/redis/keys.ts";
import { DEFAULT_BACKOFF } from "../../server/outbox/outbox.ts";
import { readHold } from "../../server/room/entries.ts";
import { checkHolds, checkLedger, liveDrops, type Movement, readLedger } from "./books.ts";
import type { Buyer } from "./buyers.ts";
import { finalStates, type Received } from "./receiver.ts";
import { until } from "./rooms.ts";

export interface Evidence {
  /** To the Redis that is the primary now. */
  readonly store: Redis;
  readonly show: string;
  /** All who bought, talked or tapped: whatever else is in the books, somebody invented. */
  readonly buyers?: readonly Buyer[];
  readonly crowd?: readonly ViewerHistory[];
  /** The sale is over and every hold with it. */
  readonly isOver?: boolean;
  /** Of drops that were closed early. */
  readonly plannedEndMs?: number;
  /** Of a control process, whose API and ledger files must say the same. */
  readonly api?: { readonly httpUrl: string; readonly adminKey: string; readonly dataDir: string };
  /** What the payment provider has, after refunds. */
  readonly takingsCents?: number;
  /** What the shop's back end took, from the first event on. */
  readonly told?: readonly Received[];
  /** Drops of class disk whose primary was lost: what it said last may be in nobody's books. */
  readonly lossyDrops?: readonly string[];
}

/** @throws by expect, at the first that does not hold */
export async function expectInvariants(evidence: Evidence): Promise<void> {
  const { store, show, plannedEndMs, isOver = false } = evidence;
  const ledger = await readLedger(store, show);
  checkLedger(ledger, await liveDrops(store, show), plannedEndMs);
  checkHolds(ledger, isOver);
  expectAnswersKept(evidence, ledger);
  await expectOrdersAsTold(evidence);
  await expectMoney(evidence, ledger);
  expectNoGaps(evidence);
  await expectCounters(evidence);
  if (evidence.api !== undefined) await expectSurfaces(evidence, evidence.api, ledger);
  if (evidence.told !== undefined) await expectTold(evidence, evidence.told);
}

interface Asked {
  readonly field: string;
  readonly dropId: string;
  readonly answers: readonly string[];
}

function askedIn({ buyers = [], crowd = [] }: Evidence): Asked[] {
  return [
    ...buyers.flatMap(({ viewerId, holds, dropOf }) =>
      [...holds].map(([key, answers]) => ({
        field: `${viewerId}|${key}`,
        dropId: dropOf.get(key) ?? "",
        answers: answers.map(({ result, ...rest }) =>
          result === "held" ? `held ${JSON.stringify(rest)}` : result,
        ),
      })),
    ),
    ...crowd.flatMap(({ viewerId, holds }) =>
      holds.map(({ key, dropId, result }) => ({
        field: `${viewerId}|${key}`,
        dropId,
        answers: [result],
      })),
    ),
  ];
}

/** [I3]: who was told "held" has one line, who was refused has none, and a repeat hears the same. */
function expectAnswersKept(evidence: Evidence, ledger: readonly Movement[]): void {
  const heldTimes = new Map<string, number>();
  for (const { kind, field } of ledger)
    if (kind === "held" || kind === "offered")
      heldTimes.set(field, (heldTimes.get(field) ?? 0) + 1);
  const asked = askedIn(evidence);
  for (const { field, dropId, answers } of asked) {
    expect(answers, `${field} was answered`).not.toContain("unanswered");
    expect(answers, `${field} was answered`).not.toContain("failed");
    const firm = new Set(answers.filter((answer) => answer !== "pending"));
    expect(firm.size, `[I3] ${field} heard one answer: ${[...firm].join()}`).toBeLessThan(2);
    const [answer] = firm;
    if (answer === undefined || evidence.lossyDrops?.includes(dropId) === true) continue;
    const isHeld = answer.startsWith("held");
    expect(heldTimes.get(field) ?? 0, `[I3] lines of ${field}, told ${answer}`).toBe(
      Number(isHeld),
    );
  }
  const known = new Set(asked.map(({ field }) => field));
  for (const field of heldTimes.keys())
    expect(known.has(field), `[I10] somebody asked for ${field}`).toBe(true);
}

/** [I5]: what a buyer's screen says in the end is what Redis has. */
async function expectOrdersAsTold({
  store,
  show,
  buyers = [],
  lossyDrops = [],
}: Evidence): Promise<void> {
  const stored = await store.hgetall(showKeys(show).holds);
  for (const { viewerId, live, states, payments } of buyers) {
    for (const [holdId, { state, dropId }] of live.state.orders) {
      const field = `${viewerId}|${holdId}`;
      const packed = stored[field];
      if (packed === undefined && lossyDrops.includes(dropId)) continue;
      const there = packed === undefined ? "nothing" : readHold(field, packed)[1].state;
      expect(state, `[I5] ${field} on screen: ${states.get(holdId)?.join()}`).toBe(there);
    }
    for (const [holdId, answers] of payments)
      if (answers.some(({ result }) => result === "sold"))
        expect(["sold", "refunded"], `[I5] ${viewerId}|${holdId} was paid`).toContain(
          live.state.orders.get(holdId)?.state,
        );
  }
}

interface StoredOrder {
  readonly orderId: string;
  readonly viewerId: string;
  readonly holdId: string;
  readonly amountCents: number;
  readonly state: string;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);

const soldCents = (ledger: readonly Movement[]): number =>
  sum(ledger.filter(({ kind }) => kind === "sold").map(({ cents }) => cents));

/** [I8]: the same money in the ledger, in the orders, on the buyers' screens and at the provider. */
async function expectMoney(evidence: Evidence, ledger: readonly Movement[]): Promise<void> {
  const { store, show, buyers = [], takingsCents } = evidence;
  const orders = Object.values(await store.hgetall(showKeys(show).orders)).map(
    (json) => JSON.parse(json) as StoredOrder,
  );
  const cents = soldCents(ledger);
  const backCents = sum(
    ledger.filter(({ kind }) => kind.startsWith("returned")).map((line) => line.cents),
  );
  expect(sum(orders.map((order) => order.amountCents)), "[I8] orders").toBe(cents);
  expect(new Set(orders.map((o) => `${o.viewerId}|${o.holdId}`)).size).toBe(orders.length);
  if (takingsCents !== undefined)
    expect(takingsCents, "[I8] at the provider").toBe(cents - backCents);
  const known = new Set(buyers.map(({ viewerId }) => viewerId));
  const shown = buyers.flatMap(({ live }) => [...live.state.orders.values()]);
  expect(
    sum(shown.filter(({ state }) => state === "sold").map(({ amountCents }) => amountCents)),
    "[I8] on screens",
  ).toBe(
    sum(
      orders
        .filter(({ state, viewerId }) => state === "sold" && known.has(viewerId))
        .map(({ amountCents }) => amountCents),
    ),
  );
}

/** [I7]; who came back may have come to a node that was a moment behind, and leaves aside what is older than it has. */
function expectNoGaps({ crowd = [] }: Evidence): void {
  for (const { viewer, joins, lost, backwards } of crowd) {
    expect({ viewer, lost }, "[I7] nothing missing").toEqual({ viewer, lost: 0 });
    if (joins === 1)
      expect({ viewer, backwards }, "[I7] nothing backwards").toEqual({ viewer, backwards: 0 });
  }
}

/** [I10]: likes and comments are those that somebody made. */
async function expectCounters({ store, show, buyers = [], crowd = [] }: Evidence): Promise<void> {
  const likes = sum(buyers.map((b) => b.likes)) + sum(crowd.map((v) => v.likes.sent));
  const numberOf = async (field: string): Promise<number> =>
    Number((await store.hget(showKeys(show).meta, field)) ?? 0);
  // Those on their way arrive, and are counted once.
  await until(async () => (await numberOf("likes")) >= likes, 10_000);
  expect(await numberOf("likes"), "[I10] likes").toBe(likes);
  const said = sum(buyers.map((b) => b.comments.said)) + sum(crowd.map((v) => v.comments.accepted));
  // A comment whose connection broke is not sent again by the crowd; it may have been said.
  const unclear =
    sum(buyers.map((b) => b.comments.unclear)) +
    sum(crowd.map(({ comments: c }) => c.sent - c.accepted - c.tooFast - c.muted - c.blocked));
  const comments = await numberOf("commentNo");
  expect(comments, "[I10] comments").toBeGreaterThanOrEqual(said);
  expect(comments, "[I10] comments").toBeLessThanOrEqual(said + unclear);
}

/** [I6] [I8]: the tail's files verify and are what Redis has; the exports sum to the same. */
async function expectSurfaces(
  { store, show }: Evidence,
  { httpUrl, adminKey, dataDir }: NonNullable<Evidence["api"]>,
  ledger: readonly Movement[],
): Promise<void> {
  const folder = showFolder(ledgerFolder(dataDir), show);
  const newest = ledger.at(-1)?.no ?? 0;
  const audit = await until(async () => {
    const found = await auditFolder(folder, { show });
    return found.bad !== undefined || found.lastNo >= newest ? found : undefined;
  }, 15_000);
  expect(audit.bad, "[I6] the files verify").toBeUndefined();
  const { replay, lastNo } = audit;
  const live = await compareLive({ redis: store, show, folder, replay, lastNo });
  expect(live?.bad, "[I6] files and Redis are the same").toBeUndefined();

  const read = async (path: string): Promise<string> => {
    const headers = { authorization: `Bearer ${adminKey}` };
    const answer = await fetch(`${httpUrl}/v1/shows/${show}${path}`, { headers });
    expect(answer.status, path).toBe(200);
    return answer.text();
  };
  const lines = (await read("/ledger.ndjson")).trim().split("\n");
  const exported = lines.map((line) => JSON.parse(line) as { kind: string; cents: number });
  expect(exported).toHaveLength(ledger.length);
  const cents = sum(exported.filter(({ kind }) => kind === "sold").map((line) => line.cents));
  expect(cents, "[I8] the export").toBe(soldCents(ledger));
  const rows = (await read("/ledger.csv")).trim().split("\r\n").slice(1);
  expect(rows, "[I8] the CSV").toHaveLength(ledger.length);
}

const EVENT_OF: Readonly<Record<string, string>> = {
  held: "order.held",
  paying: "order.held",
  sold: "order.paid",
  expired: "order.expired",
  paid_late: "order.expired",
  cancelled: "order.cancelled",
  refunded: "order.refunded",
};

/** The shop's back end ends where Redis is. */
async function expectTold({ store, show }: Evidence, told: readonly Received[]): Promise<void> {
  const due = async (): Promise<[string, string][]> =>
    Object.entries(await store.hgetall(showKeys(show).holds))
      .map(([field, packed]) => [field, readHold(field, packed)[1]] as const)
      .filter(([, { deadlineMs }]) => deadlineMs > 0)
      .map(([field, { state }]) => [field, EVENT_OF[state] ?? state]);
  const events = (): readonly Received[] => told.filter((event) => event.show === show);
  const isSame = async (): Promise<boolean> => {
    const now = finalStates(events());
    return (await due()).every(([field, type]) => now.get(field) === type);
  };
  // A back end that was down is asked again after the longest pause at the latest.
  await until(isSame, DEFAULT_BACKOFF.longestMs + 15_000).catch(() => undefined);
  expect(finalStates(events()), "the shop knows what is there").toEqual(new Map(await due()));
}
