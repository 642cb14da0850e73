-- void: annuls a drop, wrongly priced say. Units left and unpaid holds go back at once; who is paying is refunded when the money comes.
-- What was sold is taken back by its orders, see control/drop-changes.ts. Idempotent: call again until nothing changes. [I1 I5]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims
-- ARGV  dropId reason most graceMs
-- USES  books
-- RETURNS {word, number}: voided | more (call again), and the holds ended by this call | unknown

local d = dropOf(dropId)
if not d then return { "unknown", 0 } end
turn(d)
if d.state ~= "voided" then
  local left = d.available
  d.state, d.available, d.writtenOff = "voided", 0, d.writtenOff + left
  d.endsAtMs = math.min(d.endsAtMs, nowMs)
  move("voided", d, "", left, 0)
  announce("dropVoided", { dropId = dropId, atMs = nowMs, reason = reason })
  if left > 0 then giveToShop(d, left) end
  redis.call("ZADD", due, nowMs, dropId)
end
local ended = 0
local function cancel(field)
  local h = holdOf(field)
  if h and h.state == "h" then
    giveBack(field, h, "c", "cancelled")
  elseif h and h.state == "p" then
    -- Its payment ends it; if no word comes, or a no, the sweep or the decline does.
    redis.call("ZADD", overdue, nowMs + tonumber(graceMs), field)
  end
  ended = ended + 1
end
local more = false
for _, name in ipairs({ "", ":o" }) do
  local list = deadlines .. ":" .. dropId .. name
  while not more do
    -- A line names one hold, or a whole run of them.
    local line = redis.call("LPOP", list)
    if not line then break end
    for field in string.gmatch(string.match(line, "^%d+|(.*)$"), "[^\n]+") do cancel(field) end
    more = ended >= tonumber(most)
  end
end
keepBooks()
return { more and "more" or "voided", ended }
