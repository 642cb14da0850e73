/**
 * The least that a hold can be in Redis, as a control: window, limit, stock, a packed record that remembers the answer, a deadline and
 * one ledger entry per batch, all in one script call. No log for the viewers, no coupons, line, draws, epochs or classes. Batches of
 * 64, four of them in flight, made without gathering: what the shape of the data alone allows on this machine.
 */
import { packValue } from "#wire/server";
import type { Store } from "./world.ts";

const BATCH = 64;
const IN_FLIGHT = 4;
const KEYS = ["drop", "holds", "buyers", "deadlines", "ledger"];

const LUA = `
local batch = cmsgpack.unpack(ARGV[1])
local fields, viewers = batch[1], batch[2]
local t = redis.call("TIME")
local nowMs = t[1] * 1000 + math.floor(t[2] / 1000)
local left, opensAtMs, endsAtMs, limit = unpack(redis.call("HMGET", KEYS[1], "left", "opensAtMs", "endsAtMs", "limit"))
local isOpen = nowMs >= tonumber(opensAtMs) and nowMs < tonumber(endsAtMs)
left = tonumber(left)
local kept = redis.call("HMGET", KEYS[2], unpack(fields))
local bought = redis.call("HMGET", KEYS[3], unpack(viewers))
local deadlineMs, answers, records, counts, taken = nowMs + 600000, {}, {}, {}, {}
local packed = "h|1|" .. deadlineMs
for i, field in ipairs(fields) do
  local had = tonumber(bought[i] or 0)
  if kept[i] then
    answers[i] = kept[i]
  elseif not isOpen or left < 1 then
    answers[i] = "soldOut"
  elseif had >= tonumber(limit) then
    answers[i] = "limit"
  else
    left = left - 1
    answers[i] = packed
    taken[#taken + 1] = field
    records[#records + 1] = field
    records[#records + 1] = packed
    counts[#counts + 1] = viewers[i]
    counts[#counts + 1] = string.format("%d", had + 1)
  end
end
if #taken > 0 then
  redis.call("HSET", KEYS[2], unpack(records))
  redis.call("HSET", KEYS[3], unpack(counts))
  redis.call("HSET", KEYS[1], "left", left)
  redis.call("RPUSH", KEYS[4], deadlineMs .. "|" .. table.concat(taken, "\\n"))
  redis.call("XADD", KEYS[5], "*", "m", cmsgpack.pack({ nowMs, "held", left, taken }))
end
return cmsgpack.pack(answers)
`;

export interface Buyer {
  readonly viewerId: string;
  readonly key: string;
}

/** @returns takes so many units of a drop of its own, one per buyer, and tells how many per second that were */
export function createCompact({ redis }: Store, buyerOf: (i: number) => Buyer) {
  redis.defineCommand("compactHold", { lua: LUA, numberOfKeys: KEYS.length });
  const { compactHoldBuffer } = redis as unknown as {
    readonly compactHoldBuffer: (...args: (string | Buffer)[]) => Promise<Buffer>;
  };
  const call = compactHoldBuffer.bind(redis);
  let drops = 0;
  return async (count: number): Promise<number> => {
    const show = `{dropcast:bench:compact${++drops}}`;
    const keys = KEYS.map((name) => `${show}:${name}`);
    const terms = { left: count, opensAtMs: 0, endsAtMs: Date.now() + 3_600_000, limit: 1 };
    await redis.hset(keys[0] as string, terms);
    let next = 0;
    const startedMs = performance.now();
    const worker = async (): Promise<void> => {
      for (let from = next; from < count; from = next) {
        next = Math.min(count, from + BATCH);
        const buyers = Array.from({ length: next - from }, (_, i) => buyerOf(from + i));
        const fields = buyers.map(({ viewerId, key }) => `${viewerId}|${key}`);
        await call(...keys, packValue([fields, buyers.map(({ viewerId }) => viewerId)]));
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
    const perSecond = count / ((performance.now() - startedMs) / 1000);
    const left = await redis.hget(keys[0] as string, "left");
    if (left !== "0") throw new Error(`${left} of ${count} units are left`);
    await redis.unlink(...keys);
    return perSecond;
  };
}
