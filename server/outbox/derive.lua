-- derive: turns what is new in a show's log into events for the shop. Events and the position in the log move in one step, so
-- a crash neither loses nor doubles one. Only one process at a time does this for a show: the one with the lease. [F7]
-- KEYS  meta log drops holds outbox outboxAt
-- ARGV  owner leaseMs most
-- USES  ../shop/books
-- RETURNS {word, turn, events so far, gaps met}: derived | more (call again) | other (another process has the lease) | gone (no such show)
-- most: log entries or holds looked at in one call. turn: see rewind.lua; what was read before it changed is out of date.
-- An outbox entry: n, the number of its first event (from 1, dense per show); e, msgpack of {atMs, isResync, events}, each event
-- {type, …}: viewerId holdId dropId quantity state deadlineMs amountCents orderId version discountCents, and flags where there are any, for orders; dropId atMs
-- restockEpoch for drops; atMs for shows; fromId toId for gap.
-- After a failover the log is another history: a gap, and the present state of everything, as after a part of it was lost. [F1]
-- Fields of outboxAt: owner untilMs turn; epoch; at, the last log entry read; scan, cursor of a resync under way or ""; events, their number.

local KEEP_MS = 7 * 24 * 3600 * 1000
local at = {}
do
  local raw = redis.call("HGETALL", outboxAt)
  for i = 1, #raw, 2 do at[raw[i]] = raw[i + 1] end
end
local most, gaps = tonumber(most), 0
if redis.call("EXISTS", meta) == 0 then return { "gone", 0, 0, 0 } end
local untilMs, turnNo = tonumber(at.untilMs or "0"), tonumber(at.turn or "0")
if at.owner ~= owner and untilMs > nowMs then return { "other", turnNo, 0, 0 } end
-- Renewed at half time only: an idle show costs no write.
if at.owner ~= owner or untilMs - nowMs < tonumber(leaseMs) / 2 then
  redis.call("HSET", outboxAt, "owner", owner, "untilMs", nowMs + tonumber(leaseMs))
end

local EVENT_OF = {
  held = "order.held", sold = "order.paid", expired = "order.expired", cancelled = "order.cancelled", refunded = "order.refunded",
}
-- What a hold in between looks like from outside, for a receiver that missed how it got there.
local RESYNCED_AS = { paying = "order.held", paid_late = "order.expired" }

local position, scan, events = at.at or "0-0", at.scan or "", {}

-- What a gateway found odd about a hold, see shop/admission.lua; nil: nothing. A show without flags costs one look.
local hasFlags
local function flagsOf(viewerId, key)
  if hasFlags == nil then hasFlags = redis.call("EXISTS", holds .. ":flags") == 1 end
  return hasFlags and redis.call("HGET", holds .. ":flags", viewerId .. "|" .. key) or nil
end

-- o: as setHold in books.lua tells it.
local function addOrder(o, eventType)
  -- Without a deadline it has only stood in line: nothing was ever held.
  if eventType and o[6] > 0 then
    local flags = flagsOf(o[1], o[2])
    events[#events + 1] = { eventType, o[1], o[2], o[3], o[4], o[5], o[6], o[7], o[8], o[9], o[11], flags }
  end
end

-- o: the same of a whole run of holds, see shop/holds.lua: their `viewerId|key` in the place of the first.
local function addOrders(o)
  local eventType, fields = EVENT_OF[o[5]], o[1]
  if type(fields) ~= "table" then return addOrder(o, eventType) end
  for _, field in ipairs(fields) do
    o[1], o[2] = viewerOf(field), string.match(field, "|(.*)$")
    addOrder(o, eventType)
  end
end

local function addRoomEvent(bytes)
  local raw = cmsgpack.unpack(bytes)
  local opcode = raw[1]
  if opcode == WIRE.dropOpened[1] then events[#events + 1] = { "drop.opened", raw[3], raw[4], 0 }
  elseif opcode == WIRE.dropSoldOut[1] then events[#events + 1] = { "drop.sold_out", raw[3], raw[4], raw[5] }
  elseif opcode == WIRE.showStarted[1] then events[#events + 1] = { "show.started", raw[3] }
  elseif opcode == WIRE.showEnded[1] then events[#events + 1] = { "show.ended", raw[3] }
  end
end

-- Part of the log was trimmed before it was read: say so, and then the state of everything as it is now.
local function beginResync()
  local newest = redis.call("XREVRANGE", log, "+", "-", "COUNT", 1)[1][1]
  events[#events + 1] = { "gap", position, newest }
  local startedAtMs, endedAtMs = unpack(redis.call("HMGET", meta, "startedAtMs", "endedAtMs"))
  if startedAtMs then events[#events + 1] = { "show.started", tonumber(startedAtMs) } end
  for _, json in ipairs(redis.call("HVALS", drops)) do
    local d = cjson.decode(json)
    if d.state ~= "announced" then events[#events + 1] = { "drop.opened", d.dropId, d.startsAtMs, 0 } end
    if d.state == "soldOut" then events[#events + 1] = { "drop.sold_out", d.dropId, nowMs, d.restockEpoch } end
  end
  if endedAtMs then events[#events + 1] = { "show.ended", tonumber(endedAtMs) } end
  position, scan, gaps = newest, "0", 1
end

-- What the shop heard of a lost history had versions of that: what stands now goes beyond them, and before all that is to come.
local function versionNow(h)
  local d = dropOf(h.dropId)
  local base = d and math.floor(d.version / 1000000) * 1000000 or 0
  return h.version < base and base + h.version % 1000000 or h.version
end

local function resyncOrders()
  local cursor, fields = unpack(redis.call("HSCAN", holds, scan, "COUNT", most))
  for i = 1, #fields, 2 do
    local h = readHold(fields[i + 1])
    local state = STATES[h.state]
    addOrder({
      viewerOf(fields[i]), string.match(fields[i], "|(.*)$"), h.dropId, h.quantity, state,
      h.deadlineMs, h.amountCents, h.orderId, versionNow(h), h.ticket, h.discountCents,
    }, EVENT_OF[state] or RESYNCED_AS[state])
  end
  scan = cursor == "0" and "" or cursor
end

local function isAfter(a, b)
  local a1, a2 = string.match(a, "^(%d+)-(%d+)$")
  local b1, b2 = string.match(b, "^(%d+)-(%d+)$")
  return tonumber(a1) > tonumber(b1) or (a1 == b1 and tonumber(a2) > tonumber(b2))
end

-- The log begins after our position, and something has been taken off it.
local function hasGap()
  local first = redis.call("XRANGE", log, "-", "+", "COUNT", 1)[1]
  if not first or not isAfter(first[1], position) then return false end
  local facts, stream = redis.call("XINFO", "STREAM", log), {}
  for i = 1, #facts, 2 do stream[facts[i]] = facts[i + 1] end
  return stream["entries-added"] > stream["length"]
end

local function readLog()
  local entries = redis.call("XRANGE", log, "(" .. position, "+", "COUNT", most)
  for _, entry in ipairs(entries) do
    for i = 1, #entry[2], 2 do
      local field, bytes = entry[2][i], entry[2][i + 1]
      if field == "R" then
        addRoomEvent(bytes)
      elseif field == "O" then
        for _, o in ipairs(cmsgpack.unpack(bytes)) do addOrders(o) end
      end
    end
    position = entry[1]
    if #events >= most then return true end
  end
  return #entries == most
end

local epoch = redis.call("HGET", meta, "epoch")
local isOther = at.epoch and at.epoch ~= epoch
if at.epoch ~= epoch then redis.call("HSET", outboxAt, "epoch", epoch) end
local isResync, more = scan ~= "" and not isOther, true
if isResync then
  resyncOrders()
elseif isOther or hasGap() then
  beginResync()
  isResync = true
else
  more = readLog()
end

if position ~= at.at or scan ~= (at.scan or "") then
  redis.call("HSET", outboxAt, "at", position, "scan", scan)
end
local last = tonumber(at.events or "0")
if #events > 0 then
  last = redis.call("HINCRBY", outboxAt, "events", #events)
  redis.call("XADD", outbox, "MINID", "~", nowMs - KEEP_MS, "*",
    "n", last - #events + 1, "e", cmsgpack.pack({ nowMs, isResync, events }))
  -- Trimming needs a next entry: after the last one of a show, all of it goes together.
  redis.call("PEXPIRE", outbox, KEEP_MS)
end
return { more and "more" or "derived", turnNo, last, gaps }
