-- void: annuls a drop, wrongly priced say. Units left and unpaid holds go back at once; who is paying is refunded when the money comes.
-- What was sold is taken back by its orders, see control/drop-changes.ts. Idempotent: call again until nothing changes. [I1 I5]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims
-- ARGV  dropId reason most graceMs
-- USES  books
-- RETURNS {word, number}: voided (holds ended by this call; `most` of them means: call again) | unknown

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
for _, list in ipairs({ "", ":o" }) do
  local lines = redis.call("LRANGE", deadlines .. ":" .. dropId .. list, 0, tonumber(most) - 1 - ended)
  for _, line in ipairs(lines) do
    local field = string.match(line, "^%d+|(.*)$")
    local h = holdOf(field)
    if h and h.state == "h" then
      giveBack(field, h, "c", "cancelled")
    elseif h and h.state == "p" then
      -- Its payment ends it; if no word comes, or a no, the sweep or the decline does.
      redis.call("ZADD", overdue, nowMs + tonumber(graceMs), field)
    end
  end
  if #lines > 0 then redis.call("LPOP", deadlines .. ":" .. dropId .. list, #lines) end
  ended = ended + #lines
end
keepBooks()
return { "voided", ended }
