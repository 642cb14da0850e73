/**
 * The rules that a ledger must keep, applied movement by movement: the books after follow from the books before [I6], balance [I1],
 * sell no unit twice [I2], and every hold ends at most once [I5]. Trusts nothing but the kind, quantity and hold of a movement.
 * A hold is known by its commitment, so a public proof replays as the ledger itself does. Memory: about 300 bytes a hold.
 */
import { type Field, type HoldState, type Kind, KINDS } from "./kinds.ts";
import { areSameBooks, BOOK_FIELDS, type Books, booksOf } from "./movement.ts";
import { createOutlays, type Outlay } from "./outlay.ts";
import type { SealedMovement } from "./line.ts";
import type { Reason } from "./reason.ts";

/** What a movement must say to be replayed. */
export type Step = Omit<SealedMovement, "prev" | "hash">;

export interface ReplayedHold {
  readonly dropId: string;
  readonly quantity: number;
  /** Commitment of its buyer within the drop. */
  readonly buyer: string;
  /** "" where they were taken out. */
  readonly viewerId: string;
  readonly holdId: string;
  state: HoldState;
  /** Money taken. */
  cents: number;
  /** Number of the movement that changed it last. */
  lastNo: number;
}

export interface ReplayedDrop {
  books: Books;
  state: "open" | "closed" | "voided";
  /** Money taken, and of that what went back with returned units. */
  cents: number;
  returnedCents: number;
  /** The most units that one buyer has held or bought at one time. */
  mostPerBuyer: number;
}

export interface Replay {
  readonly drops: ReadonlyMap<string, ReplayedDrop>;
  /** By commitment. */
  readonly holds: ReadonlyMap<string, ReplayedHold>;
  /** Units held or bought, by commitment of the buyer within a drop. */
  readonly buyers: ReadonlyMap<string, number>;
  /** What coupons took off, by their ids. */
  readonly outlays: ReadonlyMap<string, Outlay>;
  /** @returns why this movement cannot come next; it is then not applied */
  apply(step: Step): Reason | undefined;
}

const EMPTY: Books = { allotted: 0, restocked: 0, available: 0, held: 0, sold: 0, writtenOff: 0 };

const NEW_DROP: ReplayedDrop = {
  books: EMPTY,
  state: "open",
  cents: 0,
  returnedCents: 0,
  mostPerBuyer: 0,
};

const newHold = ({ dropId, quantity, buyer, viewerId, holdId }: Step): ReplayedHold => ({
  dropId,
  quantity,
  buyer,
  viewerId,
  holdId,
  state: "none",
  cents: 0,
  lastNo: 0,
});

/** Units there count against their buyer's limit. */
const isBuyers = (field: Field | undefined): number => Number(field === "held" || field === "sold");

function forbidden(drop: ReplayedDrop, kind: Kind, quantity: number): Reason | undefined {
  if (kind.ends !== undefined && !mayEnd(drop, kind.ends, quantity)) return NOT_AN_END;
  return kind.whileOpen && drop.state !== "open" ? AFTER_END : undefined;
}

const paid = (drop: ReplayedDrop, kind: Kind, cents: number): ReplayedDrop => ({
  ...drop,
  cents: drop.cents + (kind.money === "in" ? cents : 0),
  returnedCents: drop.returnedCents + (kind.money === "out" ? cents : 0),
});

/** A drop closes once; it may be voided afterwards. */
const mayEnd = ({ state, books }: ReplayedDrop, ends: "closed" | "voided", left: number): boolean =>
  books.available === left && (state === "open" || (state === "closed" && ends === "voided"));

export function createReplay(): Replay {
  const drops = new Map<string, ReplayedDrop>();
  const holds = new Map<string, ReplayedHold>();
  const buyers = new Map<string, number>();
  const outlays = createOutlays();

  const dropAfter = (step: Step, kind: Kind): ReplayedDrop | Reason => {
    const known = drops.get(step.dropId);
    if (known === undefined && step.kind !== "allotted") return NO_SUCH_DROP;
    if (known !== undefined && step.kind === "allotted") return DROP_AGAIN;
    const before = known ?? NEW_DROP;
    const why = forbidden(before, kind, step.quantity);
    if (why !== undefined) return why;
    const books = moved(before.books, kind, step.quantity, before.state !== "open");
    const wrong = areSameBooks(books, step) ? unlawful(books) : notFollowing(books, step);
    return wrong ?? { ...paid(before, kind, step.cents), books, state: kind.ends ?? before.state };
  };

  const holdAfter = (step: Step, kind: Kind): ReplayedHold | Reason | undefined => {
    if (kind.hold === undefined) return step.hold === "" ? undefined : HOLD_WHERE_NONE;
    if (step.hold === "") return HOLD_MISSING;
    const before = holds.get(step.hold) ?? newHold(step);
    if (!kind.hold.before.includes(before.state)) return wrongTurn(before.state, step.kind);
    if (!isSameHold(before, step)) return ANOTHER_HOLD;
    if (kind.money === "out" && before.cents !== step.cents) return OTHER_MONEY;
    const cents = kind.money === "in" ? step.cents : before.cents;
    return { ...before, state: kind.hold.after, cents, lastNo: step.no };
  };

  const count = (hold: ReplayedHold, kind: Kind, drop: ReplayedDrop): void => {
    const sign = isBuyers(kind.to) - isBuyers(kind.from);
    if (sign === 0) return;
    const units = (buyers.get(hold.buyer) ?? 0) + sign * hold.quantity;
    if (units === 0) buyers.delete(hold.buyer);
    else buyers.set(hold.buyer, units);
    drop.mostPerBuyer = Math.max(drop.mostPerBuyer, units);
  };

  return {
    drops,
    holds,
    buyers,
    outlays: outlays.byCoupon,
    apply(step) {
      const kind = Object.hasOwn(KINDS, step.kind) ? KINDS[step.kind] : undefined;
      if (kind === undefined) return unknownKind(step.kind);
      if (step.quantity < 0 || step.cents < 0) return NEGATIVE;
      if (step.cents > 0 && kind.money === undefined) return MONEY_WHERE_NONE;
      const hold = holdAfter(step, kind);
      if (hold !== undefined && "en" in hold) return hold;
      const drop = dropAfter(step, kind);
      if ("en" in drop) return drop;
      const overspent = outlays.spend(step);
      if (overspent !== undefined) return overspent;
      drops.set(step.dropId, drop);
      if (hold !== undefined) {
        holds.set(step.hold, hold);
        count(hold, kind, drop);
      }
      return undefined;
    },
  };
}

const isSameHold = (hold: ReplayedHold, step: Step): boolean =>
  hold.dropId === step.dropId && hold.quantity === step.quantity && hold.buyer === step.buyer;

function moved(books: Books, kind: Kind, quantity: number, isClosed: boolean): Books {
  const after: Record<Field, number> = booksOf(books);
  const to = isClosed ? (kind.toWhenClosed ?? kind.to) : kind.to;
  if (kind.from !== undefined) after[kind.from] -= quantity;
  after[to] += quantity;
  if (kind.counts !== undefined) after[kind.counts] += quantity;
  return after;
}

function unlawful(books: Books): Reason | undefined {
  const { allotted, restocked, available, held, sold, writtenOff } = books;
  const units = allotted + restocked;
  if (BOOK_FIELDS.some((field) => books[field] < 0)) return NEGATIVE;
  if (units !== available + held + sold + writtenOff) return UNBALANCED;
  return held + sold > units ? OVERSOLD : undefined;
}

/** Balance and oversale are told first: they say more than a difference. */
function notFollowing(due: Books, step: Step): Reason {
  const field = BOOK_FIELDS.find((name) => due[name] !== step[name]) ?? "available";
  return (
    unlawful(booksOf(step)) ?? {
      en: `the books do not follow from the entry before: ${field} is ${step[field]}, due is ${due[field]} [I6]`,
      zh: `账目与上一条不连续：${field} 为 ${step[field]}，应为 ${due[field]} [I6]`,
    }
  );
}

const wrongTurn = (before: HoldState, kind: string): Reason => ({
  en: `a hold that is ${before === "none" ? "not there" : before} cannot become ${kind} [I5]`,
  zh: `保留当前为 ${before}，不能变为 ${kind} [I5]`,
});

const unknownKind = (kind: string): Reason => ({
  en: `${JSON.stringify(kind.slice(0, 40))} is no kind of movement`,
  zh: `没有 ${JSON.stringify(kind.slice(0, 40))} 这种变动`,
});

const NEGATIVE: Reason = { en: "a figure is negative [I1]", zh: "出现负数 [I1]" };
const UNBALANCED: Reason = {
  en: "allotted + restocked is not available + held + sold + writtenOff [I1]",
  zh: "投放 + 补货 ≠ 可售 + 保留 + 售出 + 核销 [I1]",
};
const OVERSOLD: Reason = {
  en: "more is held and sold than there is [I2]",
  zh: "保留与售出之和超过投放 [I2]",
};
const NO_SUCH_DROP: Reason = { en: "this drop was never allotted", zh: "该抢购从未投放" };
const DROP_AGAIN: Reason = { en: "this drop was allotted before", zh: "该抢购重复投放" };
const NOT_AN_END: Reason = {
  en: "a drop closes once, with all units that are left [I6]",
  zh: "抢购只能结束一次，且须核销全部剩余 [I6]",
};
const AFTER_END: Reason = {
  en: "units are held after the end of the drop [I9]",
  zh: "抢购结束后仍有新的保留 [I9]",
};
const HOLD_WHERE_NONE: Reason = { en: "this kind concerns no hold", zh: "此类变动与保留无关" };
const HOLD_MISSING: Reason = { en: "its hold is missing", zh: "缺少对应的保留" };
const ANOTHER_HOLD: Reason = {
  en: "drop, buyer or quantity are not those of the hold [I5]",
  zh: "抢购、买家或数量与该保留不符 [I5]",
};
const OTHER_MONEY: Reason = {
  en: "what goes back is not what was taken [I8]",
  zh: "退款金额与收款金额不符 [I8]",
};
const MONEY_WHERE_NONE: Reason = {
  en: "money without a sale [I8]",
  zh: "没有成交却有金额 [I8]",
};
