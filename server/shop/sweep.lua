-- sweep: opens and closes drops that are due, ends holds past their deadline. Any process may run it, any number of them. [I5 I9 F8 F9]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims
-- ARGV  graceMs most
-- USES  books
-- RETURNS {number of drops and holds that changed, ids of drops that wait for their draw …}; more than 0 means: call again
-- graceMs: how long a hold that is being paid outlives its deadline. most: ends no further runs of holds beyond this many holds, to
-- bound its time.

local changed, most, graceMs, draws = 0, tonumber(most), tonumber(graceMs), {}

for _, field in ipairs(redis.call("ZRANGEBYSCORE", overdue, "-inf", nowMs, "LIMIT", 0, most)) do
  local h = holdOf(field)
  if h and h.state == "p" then
    turn(dropOf(h.dropId))
    giveBack(field, h, "x", "expired")
  end
  redis.call("ZREM", overdue, field)
  changed = changed + 1
end

-- Lines of a list of deadlines looked at in one go: each may name a whole run of holds.
local PAGE = 16

-- Ends the holds of one list of deadlines that are due. Returns how many there were, and the next deadline.
local function lapseDue(list)
  local ended = 0
  local function lapse(deadlineMs, field)
    local h = holdOf(field)
    if h and h.state == "h" then
      giveBack(field, h, "x", "expired")
    elseif h and h.state == "p" then
      redis.call("ZADD", overdue, deadlineMs + graceMs, field)
    end
    ended = ended + 1
  end
  while ended < most do
    local done = 0
    for _, line in ipairs(redis.call("LRANGE", list, 0, PAGE - 1)) do
      local deadlineMs, fields = string.match(line, "^(%d+)|(.*)$")
      if tonumber(deadlineMs) > nowMs or ended >= most then break end
      for field in string.gmatch(fields, "[^\n]+") do lapse(deadlineMs, field) end
      done = done + 1
    end
    if done > 0 then redis.call("LPOP", list, done) end
    if done < PAGE then break end
  end
  local head = redis.call("LINDEX", list, 0)
  return ended, head and tonumber(string.match(head, "^%d+"))
end

-- Sends those home who still stand in line when the drop is over. Returns true while some are left.
local function endLine(d)
  local fields = redis.call("LPOP", waitKey(d.dropId), most)
  if not fields then return false end
  d.version = d.version + 1
  dirtyDrops[d.dropId] = d
  for _, field in ipairs(fields) do
    local h = holdOf(field)
    if h and h.state == "w" then setHold(field, h, "x") end
  end
  return #fields == most
end

for _, dropId in ipairs(redis.call("ZRANGEBYSCORE", due, "-inf", nowMs, "LIMIT", 0, 16)) do
  local d = dropOf(dropId)
  turn(d)
  -- Units that came back while the drop stood still.
  if d.state == "soldOut" and d.available > 0 then reopen(d) end
  if d.state == "announced" and nowMs >= d.startsAtMs then draws[#draws + 1] = dropId end
  local nextMs = d.state == "announced" and d.startsAtMs or not isOver(d) and d.endsAtMs or nil
  for _, list in ipairs({ "", ":o" }) do
    local ended, headMs = lapseDue(deadlines .. ":" .. dropId .. list)
    changed = changed + ended
    if headMs and (not nextMs or headMs < nextMs) then nextMs = headMs end
  end
  if isOver(d) and endLine(d) then nextMs = nowMs end
  changed = changed + 1
  if nextMs then
    redis.call("ZADD", due, nextMs, dropId)
  else
    redis.call("ZREM", due, dropId)
  end
end

if changed > 0 then keepBooks() end
return { changed, unpack(draws) }
