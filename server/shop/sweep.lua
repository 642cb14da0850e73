-- sweep: opens and closes drops that are due, ends holds past their deadline. Any process may run it, any number of them. [I5 I9 F8 F9]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments
-- ARGV  graceMs most
-- USES  books
-- RETURNS number of drops and holds that changed; more than 0 means: call again
-- graceMs: how long a hold that is being paid outlives its deadline. most: holds ended in one call, to bound its time.

local changed, most, graceMs = 0, tonumber(most), tonumber(graceMs)

for _, field in ipairs(redis.call("ZRANGEBYSCORE", overdue, "-inf", nowMs, "LIMIT", 0, most)) do
  local h = holdOf(field)
  if h and h.state == "p" then
    turn(dropOf(h.dropId))
    giveBack(field, h, "x", "expired")
  end
  redis.call("ZREM", overdue, field)
  changed = changed + 1
end

for _, dropId in ipairs(redis.call("ZRANGEBYSCORE", due, "-inf", nowMs, "LIMIT", 0, 16)) do
  local d = dropOf(dropId)
  local list = deadlines .. ":" .. dropId
  turn(d)
  local ended = 0
  for _, line in ipairs(redis.call("LRANGE", list, 0, most - 1)) do
    local deadlineMs, field = string.match(line, "^(%d+)|(.*)$")
    if tonumber(deadlineMs) > nowMs then break end
    local h = holdOf(field)
    if h and h.state == "h" then
      giveBack(field, h, "x", "expired")
    elseif h and h.state == "p" then
      redis.call("ZADD", overdue, deadlineMs + graceMs, field)
    end
    ended = ended + 1
  end
  if ended > 0 then redis.call("LPOP", list, ended) end
  changed = changed + 1 + ended

  local head = redis.call("LINDEX", list, 0)
  local nextMs = head and tonumber(string.match(head, "^%d+"))
  local turnsMs = d.state == "announced" and d.startsAtMs or d.state ~= "closed" and d.endsAtMs or nil
  if turnsMs and (not nextMs or turnsMs < nextMs) then nextMs = turnsMs end
  if nextMs then
    redis.call("ZADD", due, nextMs, dropId)
  else
    redis.call("ZREM", due, dropId)
  end
end

if changed > 0 then keepBooks() end
return changed
