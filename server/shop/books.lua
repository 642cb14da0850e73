-- books: a drop's stock and its holds, in memory while a script runs, written back once by `keepBooks`.
-- Needs the keys meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims. [I1 I2 I5 I9]
-- At every movement: allotted + restocked = available + held + sold + writtenOff.

local OFFER_MS = 60000 -- for so long an offer to somebody in line stands
local nowMs = now()
local drops_, holds_, buyers_ = {}, {}, {}
-- Drops by id; of holds and buyers the fields in order of change, some of them twice.
local dirtyDrops, dirtyHolds, dirtyBuyers = {}, {}, {}
local claims_, dirtyClaims = {}, {}
local newDeadlines, movements, moved, changedOrders, soldOut = {}, {}, 0, {}, {}

local function dropOf(dropId)
  local d = drops_[dropId]
  if d == nil then
    local json = redis.call("HGET", drops, dropId)
    d = json and cjson.decode(json) or false
    drops_[dropId] = d
  end
  return d
end

-- A drop of class `replica` stands still on a primary whose name its show does not know: after a failover it may lack holds that
-- their buyers were told of. Until `recover` has them back nothing takes units, opens or closes; holds may end. [F1]
local onNewPrimary
local function isPaused(d)
  if d.durability ~= "replica" then return false end
  if onNewPrimary == nil then onNewPrimary = redis.call("HGET", meta, "primary") ~= runId() end
  return onNewPrimary
end

-- A hold is kept as `dropId|quantity|state|deadlineMs|amountCents|orderId|version`, and where one of them is not empty
-- `|ticket|discountCents|couponIds` behind it.
-- States: w waiting, h held, p paying, s sold, x expired, c cancelled, l paid_late, r refunded.
local STATES = { w = "waiting", h = "held", p = "paying", s = "sold", x = "expired", c = "cancelled", l = "paid_late", r = "refunded" }

local function readHold(packed)
  local dropId, quantity, state, deadlineMs, cents, orderId, version, rest =
    string.match(packed, "^([^|]*)|(%d+)|(%a)|(%d+)|(%d+)|([^|]*)|(%d+)(.*)$")
  local ticket, discount, couponIds = string.match(rest, "^|(%d+)|(%d+)|([^|]*)$")
  return {
    dropId = dropId, quantity = tonumber(quantity), state = state, deadlineMs = tonumber(deadlineMs),
    amountCents = tonumber(cents), orderId = orderId, version = tonumber(version), ticket = tonumber(ticket or 0),
    discountCents = tonumber(discount or 0), couponIds = couponIds or "",
  }
end

local function holdOf(field)
  local h = holds_[field]
  if h == nil then
    local packed = redis.call("HGET", holds, field)
    h = packed and readHold(packed) or false
    holds_[field] = h
  elseif h and h.packed then
    -- The record of a whole run, see holds.lua: what becomes of this hold is its own.
    local own = {}
    for name, value in pairs(h) do own[name] = value end
    h, own.packed = own, nil
    holds_[field] = h
  end
  return h
end

local function boughtBy(d, viewerId)
  local field = d.dropId .. "|" .. viewerId
  local n = buyers_[field]
  if n == nil then
    n = tonumber(redis.call("HGET", buyers, field) or "0")
    buyers_[field] = n
  end
  return n
end

local function countBuyer(d, viewerId, quantity)
  local field = d.dropId .. "|" .. viewerId
  buyers_[field] = boughtBy(d, viewerId) + quantity
  dirtyBuyers[#dirtyBuyers + 1] = field
end

-- One ledger line: what moved, and the drop's books after it. For a run of the same movement `field` is the list of its holds,
-- `count` their number, and the books are those after the last of them. A drop's lines never go back in time, even if the clock does. [F9]
local function move(kind, d, field, quantity, cents, count, discountCents, couponTerms)
  d.version = d.version + (count or 1)
  moved = moved + (count or 1)
  d.movedAtMs = math.max(nowMs, d.movedAtMs or 0)
  dirtyDrops[d.dropId] = d
  movements[#movements + 1] = {
    d.movedAtMs, kind, d.dropId, field, quantity, cents,
    d.allotment, d.restocked, d.available, d.held, d.sold, d.writtenOff, discountCents, couponTerms,
  }
end

-- The line of those who wait for units of a drop.
local function waitKey(dropId) return deadlines .. ":" .. dropId .. ":w" end

local function viewerOf(field) return string.match(field, "^([^|]*)|") end

-- Moves one claim of the viewer from a state to another: u unused, h in a hold, s spent. Returns false if there is none.
local function turnClaim(couponId, viewerId, from, to)
  local field = couponId .. "|" .. viewerId
  local before = claims_[field]
  if before == nil then before = redis.call("HGET", claims, field) or "" end
  local after, n = string.gsub(before, "=" .. from, "=" .. to, 1)
  claims_[field] = after
  if n == 0 then return false end
  dirtyClaims[field] = true
  return true
end

local function endClaims(h, viewerId, to)
  for couponId in string.gmatch(h.couponIds, "[^,]+") do turnClaim(couponId, viewerId, "h", to) end
end

-- The hold has a new state: remember it, and tell its viewer through the log.
local function setHold(field, h, state)
  h.state, h.version = state, dropOf(h.dropId).version
  holds_[field], dirtyHolds[#dirtyHolds + 1] = h, field
  changedOrders[#changedOrders + 1] = {
    viewerOf(field), string.match(field, "|(.*)$"), h.dropId, h.quantity, STATES[state],
    h.deadlineMs, h.amountCents, h.orderId, h.version, h.ticket, h.discountCents,
  }
end

local function giveToShop(d, quantity)
  local json = redis.call("HGET", products, d.sku)
  if not json then return end
  local product = cjson.decode(json)
  product.stock = product.stock + quantity
  redis.call("HSET", products, d.sku, cjson.encode(product))
  announce("productChanged", { product = positional("PRODUCT", product) })
end

-- Whether the log answers taps. Not where holds wait for replicas, and are told after "sold out"; nor where a draw may leave no units.
local function answersTaps(d) return d.mode == "fcfs" and d.durability ~= "replica" end

-- Says "sold out" once per restock epoch, after the orders that made it so: whoever has read it knows them all.
local function noteSoldOut(d)
  if d.available == 0 and d.state == "open" then
    d.state = "soldOut"
    soldOut[d.dropId] = d
  end
end

local function isOver(d) return d.state == "closed" or d.state == "voided" end

-- Opens and closes the drop by Redis TIME; the same whoever comes first, a buyer or the sweep.
local function turn(d)
  if isPaused(d) then return end
  if d.state == "announced" and nowMs >= d.startsAtMs and (d.mode == "fcfs" or d.drawn) then
    d.state = "open"
    dirtyDrops[d.dropId] = d
    announce("dropOpened", { dropId = d.dropId, atMs = d.startsAtMs })
    noteSoldOut(d) -- by holds that a recovery brought back before it opened
  end
  if not isOver(d) and nowMs >= d.endsAtMs then
    local left = d.available
    d.state, d.available, d.writtenOff = "closed", 0, d.writtenOff + left
    move("closed", d, "", left, 0)
    announce("dropClosed", { dropId = d.dropId, atMs = d.endsAtMs })
    if left > 0 then giveToShop(d, left) end
  end
end

local function take(d, viewerId, quantity)
  d.available, d.held = d.available - quantity, d.held + quantity
  countBuyer(d, viewerId, quantity)
end

-- Two lists of deadlines per drop, each in order whatever the clock does: holds that were asked for, and offers to those in line.
-- field: one, or all that share the deadline, with line feeds between them.
local function setDeadline(d, field, h, list, forMs)
  local last = list == "" and "lastDeadlineMs" or "lastOfferMs"
  d[last] = math.max(d[last], nowMs + forMs)
  h.deadlineMs = d[last]
  local lines = newDeadlines[d.dropId .. list] or { dropId = d.dropId }
  lines[#lines + 1] = h.deadlineMs .. "|" .. field
  newDeadlines[d.dropId .. list] = lines
end

-- Offers what there is to those in line, strictly in order; each offer is a hold of `offerMs`. Nobody is passed over because
-- the first one wants more than there is: units gather for them. [F6]
local function serveLine(d, offerMs)
  if isPaused(d) then return end
  local line = waitKey(d.dropId)
  while d.available > 0 and d.waitServed < d.waitlisted do
    local field = redis.call("LINDEX", line, 0)
    if not field then break end
    local h = holdOf(field)
    local waits = h and h.state == "w"
    if waits and h.quantity > d.available then break end
    redis.call("LPOP", line)
    -- A place that was left was given free then; by now its viewer may stand in line anew.
    if waits then redis.call("HDEL", buyers, d.dropId .. "|" .. viewerOf(field) .. "|w") end
    -- A step of the line is news of its own: who has left moves no unit.
    d.waitServed, d.version = d.waitServed + 1, d.version + 1
    dirtyDrops[d.dropId] = d
    if waits then
      local viewerId = viewerOf(field)
      if boughtBy(d, viewerId) + h.quantity > d.perBuyerLimit then
        setHold(field, h, "x")
      else
        take(d, viewerId, h.quantity)
        h.amountCents = d.priceCents * h.quantity
        setDeadline(d, field, h, ":o", offerMs)
        move("offered", d, field, h.quantity, 0)
        setHold(field, h, "h")
      end
    end
  end
end

-- After units came back: first those in line, then everybody, in a new restock epoch.
local function reopen(d)
  serveLine(d, math.min(d.holdMs, OFFER_MS))
  if d.available > 0 and d.state == "soldOut" and d.waitServed >= d.waitlisted and d.mode ~= "lottery" then
    d.state, d.restockEpoch = "open", d.restockEpoch + 1
    dirtyDrops[d.dropId] = d
  end
end

-- Units of a hold that ended without a sale go back on sale, or to the shop when the drop is over.
local function giveBack(field, h, state, kind)
  local d = dropOf(h.dropId)
  d.held = d.held - h.quantity
  if isOver(d) then
    d.writtenOff = d.writtenOff + h.quantity
    giveToShop(d, h.quantity)
  else
    d.available = d.available + h.quantity
  end
  countBuyer(d, viewerOf(field), -h.quantity)
  endClaims(h, viewerOf(field), "u")
  move(kind, d, field, h.quantity, 0)
  setHold(field, h, state)
  if not isOver(d) then reopen(d) end
end

local function packHold(h)
  local packed = table.concat({ h.dropId, h.quantity, h.state, h.deadlineMs, h.amountCents, h.orderId, h.version }, "|")
  if h.ticket == 0 and h.discountCents == 0 and h.couponIds == "" then return packed end
  return table.concat({ packed, h.ticket, h.discountCents, h.couponIds }, "|")
end

-- One command for up to 1,000 arguments: Lua's stack is not longer than some thousands.
local function callMany(command, key, args)
  for i = 1, #args, 1000 do
    redis.call(command, key, unpack(args, i, math.min(i + 999, #args)))
  end
end

-- Drops whose orders may be told only once replicas have them: said before the orders, for who reads the log.
local function guardedDrops()
  local ids = {}
  for dropId, d in pairs(drops_) do
    if d and d.durability == "replica" then ids[#ids + 1] = dropId end
  end
  return ids
end

-- Of whole numbers. Nearly all counts are the same few, and Redis would print each of them anew, as a fraction.
local textOf = setmetatable({}, { __index = function(texts, n)
  local text = string.format("%d", n)
  texts[n] = text
  return text
end })

local function keepBooks()
  local args = {}
  for i, field in ipairs(dirtyHolds) do
    local h = holds_[field]
    args[2 * i - 1], args[2 * i] = field, h.packed or packHold(h)
  end
  callMany("HSET", holds, args)

  args = {}
  for i, field in ipairs(dirtyBuyers) do
    args[2 * i - 1], args[2 * i] = field, textOf[buyers_[field]]
  end
  callMany("HSET", buyers, args)

  local kept = {}
  for field in pairs(dirtyClaims) do
    redis.call("HSET", claims, field, claims_[field])
    local _, unused = string.gsub(claims_[field], "=u", "")
    local couponId, viewerId = string.match(field, "^([^|]*)|(.*)$")
    kept[#kept + 1] = { viewerId, couponId, unused, redis.call("HINCRBY", meta, "claimVersion", 1) }
  end

  for list, lines in pairs(newDeadlines) do
    callMany("RPUSH", deadlines .. ":" .. list, lines)
    redis.call("ZADD", due, "LT", string.match(lines[1], "^%d+"), lines.dropId)
  end

  local fields = {}
  for dropId, d in pairs(dirtyDrops) do
    redis.call("HSET", drops, dropId, cjson.encode(d))
    fields[#fields + 1], fields[#fields + 2] = "S", frame("stockChanged", d)
  end
  if #movements > 0 then
    local first = redis.call("HINCRBY", meta, "ledgerNo", moved) - moved + 1
    redis.call("XADD", ledger, first .. "-0", "m", cmsgpack.pack(movements))
  end
  if #changedOrders > 0 then
    local guarded = guardedDrops()
    if #guarded > 0 then fields[#fields + 1], fields[#fields + 2] = "W", cmsgpack.pack(guarded) end
    fields[#fields + 1], fields[#fields + 2] = "O", cmsgpack.pack(changedOrders)
  end
  if #kept > 0 then
    fields[#fields + 1], fields[#fields + 2] = "C", cmsgpack.pack(kept)
  end
  if #fields > 0 then tell(unpack(fields)) end
  for dropId, d in pairs(soldOut) do
    if d.state == "soldOut" then
      local told = { dropId = dropId, atMs = nowMs, restockEpoch = d.restockEpoch, answersTaps = answersTaps(d) }
      announce("dropSoldOut", told)
    end
  end
end
