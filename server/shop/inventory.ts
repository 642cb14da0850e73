/**
 * Stock of a show's drops. Every change is one atomic step in Redis, decided by Redis TIME, which also writes the ledger and
 * the show log; two buyers never meet in JavaScript. Rules I1–I5 and I9 live in the `.lua` files beside this one.
 */
import { randomUUID } from "node:crypto";
import { type Admission, type Coupon, rawOf } from "#wire";
import { packValue } from "#wire/server";
import type { Redis } from "ioredis";
import { showKeys } from "../redis/keys.ts";
import { loadScript } from "../redis/lua.ts";
import { packRequests } from "./runs.ts";
import { type DropMode, drawOrder, newSeed } from "./draw.ts";

/** What a batch may hold: buyers' requests, the cashier's, and those of a recovery after a failover. */
export interface DropRequest {
  readonly what:
    | "hold"
    | "wait"
    | "claim"
    | "pay"
    | "cancel"
    | "settle"
    | "decline"
    | "refund"
    | "reapply";
  readonly viewerId: string;
  /** The hold's id: the idempotency key its buyer chose. */
  readonly key: string;
  /** For `hold` and `wait` the drop, for `claim` the coupon; else "". */
  readonly dropId: string;
  /** For `hold` and `wait`; else 0. */
  readonly quantity: number;
  /** Claimed coupons that a `hold` redeems. */
  readonly coupons?: readonly string[];
  /** Only for settle, decline and refund: the entry of the payments stream that is hereby carried out, and acknowledged. */
  readonly intentId?: string;
  /** Only for `hold` and `wait`: how far a pass admits it, and what was odd about it; see gateway/door.ts. */
  readonly admitted?: { readonly level: number; readonly flags: string };
  /** Of a `hold` whose refusal may ride on "sold out": the restock epoch it is for. */
  readonly restockEpoch?: number;
  /** Only for reapply: what the hold had, and whether its buyer was told that it is theirs. */
  readonly before?: { readonly deadlineMs: number; readonly wasTold: boolean };
}

/**
 * One answer per request, as the script gave it: a word, then what belongs to it.
 * claim: `granted` | `gone` | `limit` | `notOpen` | `ended` | `unknown`;
 * wait: `waiting ticket ahead` | `notNeeded` | `limit` | `closed` | `tooLate` | `pass` | `unknown`;
 * hold: `held deadlineMs quantity` | `soldOut restockEpoch` (of taps with a 1 behind it where the log tells it) | `limit n` | `coupon` | `pass` | `notOpen startsAtMs` | `closed` | `unknown`;
 * pay: `paying` | `sold orderId` | `expired` | `cancelled` | `notHeld`; cancel: `cancelled` | `paying` | `sold` | `expired` | `notHeld`;
 * reapply: `held …` | `known` | `overcommitted` | `unknown`. hold and wait also: `paused`, while a drop of class replica waits for its
 * recovery. About a hold of such a drop `replica` follows as the last: nobody may be told before replicas have it.
 */
export type DropAnswer = readonly [word: string, ...rest: (string | number)[]];

/**
 * What must hold before a buyer is told "yours". disk: the answer of Redis, which has synced it to disk (appendfsync always).
 * replica: that, and REPLICAS replicas have it: survives the loss of the primary, and with it the promotion of a replica, which under
 * `disk` may lose the last moments. memory: the answer of Redis, whatever it syncs; for rehearsals.
 */
export type Durability = "disk" | "replica" | "memory";

export interface NewDrop {
  readonly dropId: string;
  readonly sku: string;
  readonly priceCents: number;
  readonly allotment: number;
  readonly perBuyerLimit: number;
  readonly holdMs: number;
  /** 0: now, by Redis TIME. */
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** Default fcfs. */
  readonly mode?: DropMode;
  /** Default disk. */
  readonly durability?: Durability;
  /** What a buyer must show. Default open. */
  readonly admission?: Admission;
}

export interface Inventory {
  /**
   * Decides requests of one show in order, in one round trip: more than `perCall` (default 256) as several calls of one transaction.
   * @throws when Redis did not answer in time: the requests may or may not stand, so ask again with the same keys
   */
  readonly decide: (
    show: string,
    requests: readonly DropRequest[],
    perCall?: number,
  ) => Promise<readonly DropAnswer[]>;
  /** Opens, closes and expires what is due. @returns how much changed (over 0: sweep again), and drops that wait for `draw` */
  sweep(show: string): Promise<{ readonly changed: number; readonly draws: readonly string[] }>;
  /** Gives a product's units to a new drop; the number is the start, or the units there are when short. */
  allot(
    show: string,
    drop: NewDrop,
  ): Promise<
    readonly [
      "allotted" | "exists" | "unknownProduct" | "showEnded" | "notRehearsal" | "shortStock",
      number,
    ]
  >;
  /** Makes a coupon; `left` is how many claims its budget covers. */
  addCoupon(show: string, coupon: Coupon): Promise<"made" | "exists">;
  /** Gives the drop more of its product's units; the number is what is available then, or what there is when short. */
  restock(
    show: string,
    dropId: string,
    units: number,
  ): Promise<readonly ["restocked" | "unknown" | "closed" | "shortStock", number]>;
  /** Annuls a drop: units and unpaid holds go back. The number is the holds ended by this call. */
  void(
    show: string,
    dropId: string,
    reason: string,
  ): Promise<readonly ["voided" | "unknown", number]>;
  /** Draws the order of those who queued for a drop that has started, and serves them. Once, whoever calls. */
  draw(show: string, dropId: string): Promise<"drawn" | "done" | "tooEarly" | "unknown">;
  /** Ends a drop now. */
  close(show: string, dropId: string): Promise<"closed" | "unknown">;
}

/** Requests that one call decides: about 2 ms of Redis time. */
export const MAX_PER_CALL = 256;
/** How long a hold that is being paid outlives its deadline. */
const PAY_GRACE_MS = 60_000;
/** Holds ended by one sweep call: about 2 ms of Redis time. */
const MOST_PER_SWEEP = 500;

const wordAndNumber = (reply: unknown): readonly [never, number] => {
  const [word, n] = reply as [Buffer, number];
  // One of the words in the script's RETURNS: the loader's caller names them.
  return [word.toString() as never, n];
};

/** The keys of every script that uses books.lua. */
export const BOOKS = [
  "meta",
  "log",
  "products",
  "drops",
  "due",
  "holds",
  "buyers",
  "deadlines",
  "overdue",
  "orders",
  "ledger",
  "payments",
  "coupons",
  "claims",
] as const;

const file = (name: string): URL => new URL(`${name}.lua`, import.meta.url);

export function createInventory(redis: Redis): Inventory {
  const decide = loadScript(redis, {
    file: file("decide"),
    keys: BOOKS,
    args: ["batch"],
    read(reply) {
      const [answers, picks] = rawOf(reply as Buffer) as [DropAnswer[], number[]];
      return picks.map((pick) => answers[pick - 1] as DropAnswer);
    },
  });
  const sweep = loadScript(redis, {
    file: file("sweep"),
    keys: BOOKS,
    args: ["graceMs", "most"],
    read: (reply) => {
      const [changed, ...draws] = reply as [number, ...Buffer[]];
      return { changed, draws: draws.map(String) };
    },
  });
  const allot = loadScript(redis, {
    file: file("allot"),
    keys: [...BOOKS, "seeds"],
    args: ["json", "seed"],
    read: wordAndNumber,
  });
  const restock = loadScript(redis, {
    file: file("restock"),
    keys: [...BOOKS, "applied"],
    args: ["dropId", "units", "key"],
    read: wordAndNumber,
  });
  const voidDrop = loadScript(redis, {
    file: file("void"),
    keys: BOOKS,
    args: ["dropId", "reason", "most", "graceMs"],
    read: (reply) => wordAndNumber(reply) as readonly ["voided" | "unknown" | "more", number],
  });
  const coupon = loadScript(redis, {
    file: file("coupon"),
    keys: ["meta", "log", "coupons"],
    args: ["json"],
    read: (reply) => String(reply) as "made" | "exists",
  });
  const draw = loadScript(redis, {
    file: file("draw"),
    keys: [...BOOKS, "seeds", "drawn"],
    args: ["dropId", "order"],
    read: (reply) => String(reply) as "drawn" | "done" | "tooEarly" | "stale" | "unknown",
  });
  const close = loadScript(redis, {
    file: file("close"),
    keys: BOOKS,
    args: ["dropId"],
    read: (reply) => String(reply) as "closed" | "unknown",
  });
  return {
    async decide(show, requests, perCall = MAX_PER_CALL) {
      const keys = showKeys(show);
      if (requests.length <= perCall) return decide(keys, { batch: packRequests(requests) });
      const calls: { readonly batch: Buffer }[] = [];
      for (let i = 0; i < requests.length; i += perCall)
        calls.push({ batch: packRequests(requests.slice(i, i + perCall)) });
      return (await decide.together(keys, calls)).flat();
    },
    sweep: (show) => sweep(showKeys(show), { graceMs: PAY_GRACE_MS, most: MOST_PER_SWEEP }),
    allot(show, drop) {
      const { mode = "fcfs", durability = "disk", admission = "open" } = drop;
      const { seed, seedHash } = mode === "fcfs" ? { seed: "", seedHash: "" } : newSeed();
      return allot(showKeys(show), {
        json: JSON.stringify({ ...drop, mode, durability, admission, seedHash }),
        seed,
      });
    },
    addCoupon: (show, record) => coupon(showKeys(show), { json: JSON.stringify(record) }),
    restock: (show, dropId, units) => restock(showKeys(show), { dropId, units, key: randomUUID() }),
    async void(show, dropId, reason) {
      const keys = showKeys(show);
      let ended = 0;
      for (;;) {
        const [word, n] = await voidDrop(keys, {
          dropId,
          reason,
          most: MOST_PER_SWEEP,
          graceMs: PAY_GRACE_MS,
        });
        ended += n;
        if (word !== "more") return [word, ended];
      }
    },
    async draw(show, dropId) {
      const keys = showKeys(show);
      for (;;) {
        const [seed, entrants] = await Promise.all([
          redis.hget(keys.seeds, dropId),
          redis.lrange(`${keys.deadlines}:${dropId}:w`, 0, -1),
        ]);
        if (seed === null) return "unknown";
        const order = packValue(drawOrder(seed, entrants));
        const word = await draw(keys, { dropId, order });
        // Somebody left the line meanwhile: draw among those who are there.
        if (word !== "stale") return word;
      }
    },
    close: (show, dropId) => close(showKeys(show), { dropId }),
  };
}
