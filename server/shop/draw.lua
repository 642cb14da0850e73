-- draw: puts those who queued before the start into their drawn order and serves them. Once per drop, never before its start. [I2 I9]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims seeds drawn
-- ARGV  dropId order
-- USES  books
-- RETURNS drawn | done (it was before) | tooEarly | stale (the order is not of exactly those in line: read them again) | unknown
-- order: msgpack array of `viewerId|key`, as shop/draw.ts computes it from the seed.

local d = dropOf(dropId)
if not d or d.mode == "fcfs" then return "unknown" end
if d.drawn or isOver(d) then return "done" end
if nowMs < d.startsAtMs or isPaused(d) then return "tooEarly" end
local fields, line = cmsgpack.unpack(order), waitKey(dropId)
local inLine = {}
for _, field in ipairs(redis.call("LRANGE", line, 0, -1)) do inLine[field] = true end
for _, field in ipairs(fields) do
  if not inLine[field] then return "stale" end
  inLine[field] = nil
end
if next(inLine) then return "stale" end

redis.call("DEL", line)
callMany("RPUSH", line, fields)
callMany("RPUSH", drawn .. ":" .. dropId, fields)
-- Later than the tickets of the queue, also where nothing can be offered yet: screens take no two of one version.
d.drawn, d.waitlisted, d.waitServed, d.version = true, #fields, 0, d.version + 1
dirtyDrops[dropId] = d
turn(d)
announce("dropDrawn", { dropId = dropId, atMs = nowMs, seed = redis.call("HGET", seeds, dropId), entrants = #fields })
for rank, field in ipairs(fields) do holdOf(field).ticket = rank end
serveLine(d, d.holdMs)
for rank = d.waitServed + 1, #fields do
  local h = holdOf(fields[rank])
  if h.state == "w" then setHold(fields[rank], h, "w") end
end
if d.waitServed < #fields or d.mode == "lottery" then
  if d.state == "open" then d.state, soldOut[dropId] = "soldOut", d end
else
  noteSoldOut(d)
end
keepBooks()
return "drawn"
