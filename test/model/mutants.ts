/** Ways to get the shop's scripts wrong: changes of their text, made when they are loaded. The suite must notice each. */
import type { Redis } from "ioredis";

interface Mutant {
  readonly what: string;
  /** Every place that is changed; each must be found in some script. */
  readonly changes: readonly (readonly [from: string, to: string])[];
}

export const MUTANTS: readonly Mutant[] = [
  {
    what: "the limit is one too high",
    changes: [["> d.perBuyerLimit", "> d.perBuyerLimit + 1"]],
  },
  {
    what: "no answer is remembered",
    changes: [
      ["if h == nil and kept[i] then h = readHold(kept[i]) end", "h = nil"],
      ["if h then return firstAnswer(h) end", ""],
    ],
  },
  {
    what: "units of an ended hold do not come back",
    changes: [
      [
        "d.available = d.available + h.quantity\n  end\n  countBuyer",
        "d.writtenOff = d.writtenOff + h.quantity\n  end\n  countBuyer",
      ],
    ],
  },
  {
    what: "one unit more is sold than there is",
    changes: [["left < quantity", "left + 1 < quantity"]],
  },
  { what: "a drop never ends by the clock", changes: [["nowMs >= d.endsAtMs", "false"]] },
  {
    what: "a drop opens early",
    changes: [["nowMs >= d.startsAtMs and (d.mode", "nowMs + 500 >= d.startsAtMs and (d.mode"]],
  },
  {
    what: "a hold can be paid past its deadline",
    changes: [['h.state == "h" and nowMs >= h.deadlineMs', "false"]],
  },
  {
    what: "a second word about a payment counts, too",
    changes: [["local given = h and stale and", "local given = false and"]],
  },
  {
    what: "late money takes a unit that is not there",
    changes: [["not isPaused(d) and d.available >= h.quantity", "not isPaused(d)"]],
  },
  {
    what: "those in line are passed over",
    changes: [
      ["d.waitServed >= d.waitlisted and", ""],
      ["serveLine(d, math.min(d.holdMs, OFFER_MS))", ""],
    ],
  },
  { what: "a coupon's budget is one claim too large", changes: [["c.left < 1", "c.left < 0"]] },
  {
    what: "a coupon is lost with the hold that ends",
    changes: [['endClaims(h, viewerOf(field), "u")', ""]],
  },
  {
    what: "a draw keeps the order of arrival",
    changes: [['redis.call("DEL", line)\ncallMany("RPUSH", line, fields)', ""]],
  },
  {
    what: "a drop is drawn before its start",
    changes: [["if nowMs < d.startsAtMs or isPaused(d)", "if isPaused(d)"]],
  },
  {
    what: "a drop is drawn again",
    changes: [["if d.drawn or isOver(d)", "if isOver(d)"]],
  },
  {
    what: "new tickets reach no screen",
    changes: [["#fields, 0, d.version + 1", "#fields, 0, d.version"]],
  },
  {
    what: "a drawn drop opens without its draw",
    changes: [['and (d.mode == "fcfs" or d.drawn)', ""]],
  },
  {
    what: "who has left the queue is drawn all the same",
    changes: [['local waits = h and h.state == "w"', 'local waits = h and h.state:find("[wc]")']],
  },
  {
    what: "a drawn drop takes entrants after its start",
    changes: [["drawn and nowMs >= d.startsAtMs and not d.drawn", "false"]],
  },
  {
    what: "a lottery lets latecomers in",
    changes: [['if isFrozen or (d.drawn and d.mode == "lottery")', "if isFrozen"]],
  },
  {
    what: "what a lottery leaves is anybody's",
    changes: [['and d.mode ~= "lottery"', ""]],
  },
  {
    what: "no pass is asked for",
    changes: [["needed and needed > (level or 0)", "false"]],
  },
  {
    what: "a place in line needs no pass",
    changes: [['if lacksPass(d, level) then return { "pass" } end\n  if boughtBy', "if boughtBy"]],
  },
  {
    what: "what was odd about one hold is noted about another",
    changes: [["noteFlags(field, flags[i])", "noteFlags(field, flags[#taken])"]],
  },
  {
    what: "an order is taken back twice",
    changes: [['if order.state ~= "sold" then return order.state end', ""]],
  },
  {
    what: "what is lost with its return is in stock again",
    changes: [['if policy ~= "none" then giveToShop', "if true then giveToShop"]],
  },
  {
    what: "what was taken back counts against the limit",
    changes: [["countBuyer(d, order.viewerId, -h.quantity)", ""]],
  },
  {
    what: "what comes back goes past the line",
    changes: [["h.amountCents)\n  reopen(d)", "h.amountCents)"]],
  },
  {
    what: "the money of a return is never said to be back",
    changes: [["order.refundId ~= intentId", "true"]],
  },
  {
    what: "a hold of class replica may be told at once",
    changes: [['d and d.durability == "replica" then answer', "false then answer"]],
  },
  {
    what: "a tap of a restock epoch that has ended gets what came back",
    changes: [["if not no and epoch >= 0 and d.restockEpoch > epoch then", "if false then"]],
  },
  {
    what: "the log is said to tell a refusal, and the drop is open again by the end of the batch",
    changes: [
      [
        "riding[#riding + 1] = { d, epoch, answer }",
        'if d.state == "soldOut" then answer[3] = 1 end',
      ],
    ],
  },
  {
    what: "the log is said to tell a refusal, and units are left",
    changes: [
      [
        'if d.state == "soldOut" and d.restockEpoch == epoch then',
        "if d.restockEpoch == epoch then",
      ],
    ],
  },
  {
    what: "the log is said to tell the refusal of a tap that came too late",
    changes: [
      ['answer[1] == "soldOut" and d.restockEpoch == epoch', 'answer[1] == "soldOut"'],
      ["and d.restockEpoch == epoch then answer[3]", "then answer[3]"],
    ],
  },
  {
    what: "taps of class replica are answered by the log",
    changes: [['d.mode == "fcfs" and d.durability ~= "replica" end', 'd.mode == "fcfs" end']],
  },
  {
    what: "taps of a drawn drop are answered by the log",
    changes: [
      ['d.mode == "fcfs" and d.durability ~= "replica" end', 'd.durability ~= "replica" end'],
    ],
  },
  {
    what: "the log is said to tell a hold anew when its key is repeated",
    changes: [
      [
        "or guarded(dropOf(h.dropId), firstAnswer(h))",
        'or epoch >= 0 and h.deadlineMs > 0 and { "held", h.deadlineMs, h.quantity, 1 } or guarded(dropOf(h.dropId), firstAnswer(h))',
      ],
    ],
  },
  {
    what: '"sold out" answers taps of every drop',
    changes: [["answersTaps = answersTaps(d) }", "answersTaps = true }"]],
  },
  {
    what: '"sold out" answers no taps',
    changes: [["answersTaps = answersTaps(d) }", "answersTaps = false }"]],
  },
  {
    what: '"sold out" is told before the orders that made it so',
    changes: [
      ["if #fields > 0 then tell(unpack(fields)) end\n", ""],
      [
        'announce("dropSoldOut", told)\n    end\n  end',
        'announce("dropSoldOut", told)\n    end\n  end\n  if #fields > 0 then tell(unpack(fields)) end',
      ],
    ],
  },
  {
    what: "the first order of a run is not told",
    changes: [
      [
        'fields, "", d.dropId, quantity, STATES.h',
        '{ unpack(fields, 2) }, "", d.dropId, quantity, STATES.h',
      ],
    ],
  },
];

/** @returns the connection, on which scripts are defined with the mutant's changes; `missing` names what was found in none of them */
export function mutated(redis: Redis, { changes }: Mutant): { redis: Redis; missing(): string[] } {
  const found = new Set<string>();
  const define = redis.defineCommand.bind(redis);
  redis.defineCommand = (name, script) => {
    let { lua } = script;
    for (const [from, to] of changes) {
      if (lua.includes(from)) found.add(from);
      lua = lua.replaceAll(from, to);
    }
    define(name, { ...script, lua });
  };
  return { redis, missing: () => changes.flatMap(([from]) => (found.has(from) ? [] : [from])) };
}
