-- decide: a batch of one show's requests, each decided in order of arrival, each idempotent. [I1 I2 I3 I4 I5 I9]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims
-- ARGV  batch
-- USES  books admission holds redeem
-- RETURNS msgpack array {answers, picks}: picks has one number per request, which of the answers is its own; each answer is
-- {word, number or text …}, and "replica" as the last of it where the hold is of a drop of that class: nobody may be told before
-- replicas have it.
-- batch: msgpack array of {what, viewerId, key, subject, quantity, couponIds}; what is hold, wait, claim, pay, cancel, settle, decline,
-- refund or reapply, which has two more: {…, deadlineMs, 1 if its buyer was told}. Holds without coupons come as runs:
-- {"holds", dropId, quantity, {viewerId|key …}, {dropId|viewerId …}, level, {flags …}, epoch}; epoch is -1, or that of taps, whose
-- answer ends with a 1 where the log tells it: as the order that is held, or by "sold out". A hold with coupons and a wait may have level
-- and flags after the couponIds: see admission.lua.
-- subject: for hold and wait the drop; for claim the coupon (and key in the place of quantity); for settle, decline and refund the entry of `payments` that is hereby carried out, or "".
-- Cost: about ten commands for the whole batch, whatever its size, and two for each run.

local requests = cmsgpack.unpack(batch)

do -- Read the holds and buyers that this batch names, but for its runs, in two commands.
  local holdFields, buyerFields = {}, {}
  for _, r in ipairs(requests) do
    if r[1] ~= "holds" then holdFields[#holdFields + 1] = r[2] .. "|" .. r[3] end
    if r[1] == "hold" or r[1] == "reapply" then buyerFields[#buyerFields + 1] = r[4] .. "|" .. r[2] end
  end
  if #holdFields > 0 then
    for i, packed in ipairs(redis.call("HMGET", holds, unpack(holdFields))) do
      holds_[holdFields[i]] = packed and readHold(packed) or false
    end
  end
  if #buyerFields > 0 then
    for i, n in ipairs(redis.call("HMGET", buyers, unpack(buyerFields))) do
      buyers_[buyerFields[i]] = tonumber(n or "0")
    end
  end
end

local decide = {}
-- Least time to pay of a hold that came back after a failover.
local LEFT_MS = 30000

-- One claim: the budget is taken when it is granted, so that all that are out can be redeemed. [I8 F10]
function decide.claim(_, _, viewerId, couponId, key)
  local c = couponOf(couponId)
  if not c then return { "unknown" } end
  local field = couponId .. "|" .. viewerId
  local mine = claims_[field] or redis.call("HGET", claims, field) or ""
  claims_[field] = mine
  for had in string.gmatch(mine, "([^,=]+)=%a") do
    if had == key then return { "granted" } end
  end
  if nowMs < c.startsAtMs then return { "notOpen", c.startsAtMs } end
  if nowMs >= c.endsAtMs then return { "ended" } end
  local _, count = string.gsub(mine, "=", "")
  if count >= c.perViewerLimit then return { "limit" } end
  if c.left < 1 then return { "gone" } end
  c.left, c.version = c.left - 1, c.version + 1
  dirtyCoupons[couponId] = c
  claims_[field] = mine .. (mine == "" and "" or ",") .. key .. "=u"
  dirtyClaims[field] = true
  return { "granted" }
end

-- With coupons: holds without are decided by `holdRun`.
function decide.hold(field, h, viewerId, dropId, quantity, couponIds, level, flags)
  if h then return firstAnswer(h) end
  local d = dropOf(dropId)
  local no = refusalOf(d, level)
  if no then return no end
  if d.available < quantity then return { "soldOut", d.restockEpoch } end
  if boughtBy(d, viewerId) + quantity > d.perBuyerLimit then return { "limit", d.perBuyerLimit } end
  local discountCents = redeem(d, viewerId, quantity, couponIds)
  if not discountCents then return { "coupon" } end
  take(d, viewerId, quantity)
  local toPayCents = math.max(0, d.priceCents * quantity - discountCents)
  h = {
    dropId = dropId, quantity = quantity, amountCents = toPayCents, orderId = "", ticket = 0,
    discountCents = d.priceCents * quantity - toPayCents, couponIds = table.concat(couponIds, ","),
  }
  setDeadline(d, field, h, "", d.holdMs)
  move("held", d, field, quantity, 0)
  setHold(field, h, "h")
  noteFlags(field, flags)
  noteSoldOut(d)
  return firstAnswer(h)
end

-- After a failover: a hold that this primary lacks. The drop stood still meanwhile, so what the old primary had decided fits; if
-- units were given away all the same it ends here: nothing is sold twice. Once per key. [F1 I2 I3 I4]
function decide.reapply(field, h, viewerId, dropId, quantity, couponIds, deadlineMs, wasTold)
  if h and h.state ~= "w" then return { "known" } end
  local d = dropOf(dropId)
  if not d then return { "unknown" } end
  local fits = not isOver(d) and d.available >= quantity and boughtBy(d, viewerId) + quantity <= d.perBuyerLimit
  if not fits then
    if wasTold == 1 then redis.call("HINCRBY", meta, "overcommitted", quantity) end
    if h then return { "overcommitted" } end
    d.version = d.version + 1
    dirtyDrops[dropId] = d
    h = {
      dropId = dropId, quantity = quantity, deadlineMs = 0, amountCents = 0, orderId = "", ticket = 0,
      discountCents = 0, couponIds = "",
    }
    setHold(field, h, "c")
    return { "overcommitted" }
  end
  local discountCents = #couponIds > 0 and redeem(d, viewerId, quantity, couponIds)
  local toPayCents = math.max(0, d.priceCents * quantity - (discountCents or 0))
  take(d, viewerId, quantity)
  h = {
    dropId = dropId, quantity = quantity, amountCents = toPayCents, orderId = "", ticket = h and h.ticket or 0,
    discountCents = d.priceCents * quantity - toPayCents, couponIds = discountCents and table.concat(couponIds, ",") or "",
  }
  -- The outage took time to pay away: some of it is left in any case.
  setDeadline(d, field, h, "", math.max(deadlineMs - nowMs, math.min(d.holdMs, LEFT_MS)))
  move("held", d, field, quantity, 0)
  -- It was decided between start and end, whatever this primary's clock says.
  d.movedAtMs = math.max(d.movedAtMs, d.startsAtMs)
  movements[#movements][1] = math.min(d.movedAtMs, d.endsAtMs - 1)
  setHold(field, h, "h")
  noteSoldOut(d)
  return { "held", h.deadlineMs, quantity }
end

-- Standing in line: before the start of a drawn drop, or after sold out. Once per buyer and drop.
function decide.wait(field, h, viewerId, dropId, quantity, _, level, flags)
  local d = dropOf(dropId)
  if not d then return { "unknown" } end
  if h then return { "waiting", h.ticket, math.max(0, h.ticket - d.waitServed - 1) } end
  if isPaused(d) then return { "paused" } end
  turn(d)
  if isOver(d) then return { "closed" } end
  local drawn = d.mode ~= "fcfs"
  if d.state == "open" or (d.state == "announced" and not drawn) then return { "notNeeded" } end
  -- Between the start and the draw the list of entrants is frozen; after a lottery's draw there is nothing to wait for, even if the
  -- clock steps back. [F9]
  local isFrozen = drawn and nowMs >= d.startsAtMs and not d.drawn
  if isFrozen or (d.drawn and d.mode == "lottery") then return { "tooLate" } end
  if lacksPass(d, level) then return { "pass" } end
  if boughtBy(d, viewerId) + quantity > d.perBuyerLimit then return { "limit" } end
  -- One place per buyer: kept beside the count of units, under a name no viewer can have.
  if redis.call("HSETNX", buyers, dropId .. "|" .. viewerId .. "|w", field) == 0 then return { "limit" } end
  d.waitlisted, d.version = d.waitlisted + 1, d.version + 1
  dirtyDrops[dropId] = d
  h = {
    dropId = dropId, quantity = quantity, deadlineMs = 0, amountCents = 0, orderId = "", ticket = d.waitlisted,
    discountCents = 0, couponIds = "",
  }
  redis.call("RPUSH", waitKey(dropId), field)
  setHold(field, h, "w")
  noteFlags(field, flags)
  return { "waiting", h.ticket, h.ticket - d.waitServed - 1 }
end

local function leaveLine(field, h)
  local d = dropOf(h.dropId)
  d.version = d.version + 1
  dirtyDrops[d.dropId] = d
  redis.call("HDEL", buyers, h.dropId .. "|" .. viewerOf(field) .. "|w")
  setHold(field, h, "c")
  turn(d)
  if d.state == "soldOut" then reopen(d) end
end

-- An open hold past its deadline has ended, whether or not the sweep has come by.
local function lapse(field, h)
  if h.state == "h" and nowMs >= h.deadlineMs then
    turn(dropOf(h.dropId))
    giveBack(field, h, "x", "expired")
  end
end

function decide.pay(field, h)
  if not h or h.state == "w" then return { "notHeld" } end
  lapse(field, h)
  if h.state == "h" then
    dropOf(h.dropId).version = dropOf(h.dropId).version + 1
    dirtyDrops[h.dropId] = dropOf(h.dropId)
    setHold(field, h, "p")
    redis.call("XADD", payments, "*", "what", "charge", "field", field, "cents", h.amountCents, "deadlineMs", h.deadlineMs)
  end
  local word = ({ p = "paying", s = "sold", x = "expired", c = "cancelled" })[h.state] or "expired"
  return { word, h.orderId }
end

function decide.cancel(field, h)
  if not h then return { "notHeld" } end
  lapse(field, h)
  if h.state == "h" then
    -- After the end the line is offered nothing more, whether or not the sweep has come by. [I9]
    turn(dropOf(h.dropId))
    giveBack(field, h, "c", "cancelled")
  end
  if h.state == "w" then leaveLine(field, h) end
  local word = ({ p = "paying", s = "sold", c = "cancelled" })[h.state] or "expired"
  return { word }
end

local function retakeClaims(h, viewerId)
  local taken = {}
  for couponId in string.gmatch(h.couponIds, "[^,]+") do
    if not turnClaim(couponId, viewerId, "u", "h") then
      for _, id in ipairs(taken) do turnClaim(id, viewerId, "h", "u") end
      return false
    end
    taken[#taken + 1] = couponId
  end
  return true
end

-- The money has come. A hold that ended meanwhile is taken again if stock and limit allow; else the money goes back.
function decide.settle(field, h, viewerId, intentId)
  if not h or h.deadlineMs == 0 then return { "notHeld" } end
  local d = dropOf(h.dropId)
  if h.state == "x" or h.state == "c" then
    turn(d)
    local fits = d.state == "open" and not isPaused(d) and d.available >= h.quantity
      and boughtBy(d, viewerId) + h.quantity <= d.perBuyerLimit
    -- What the coupons took off has been paid for with claims that went back meanwhile: they must still be there.
    if fits and retakeClaims(h, viewerId) then
      take(d, viewerId, h.quantity)
      move("reheld", d, field, h.quantity, 0)
      noteSoldOut(d)
      h.state = "p"
    else
      d.version = d.version + 1
      dirtyDrops[d.dropId] = d
      setHold(field, h, "l")
      redis.call("XADD", payments, "*", "what", "refund", "field", field, "cents", h.amountCents, "of", intentId)
    end
  end
  if d.state == "voided" and (h.state == "h" or h.state == "p") then
    giveBack(field, h, "x", "expired")
    return decide.settle(field, h, viewerId, intentId)
  end
  if h.state == "h" or h.state == "p" then
    d.held, d.sold = d.held - h.quantity, d.sold + h.quantity
    h.orderId = "D" .. string.format("%06d", redis.call("HINCRBY", meta, "orderNo", 1))
    endClaims(h, viewerId, "s")
    local terms = termsOf(h)
    move("sold", d, field, h.quantity, h.amountCents, 1, terms and h.discountCents, terms)
    setHold(field, h, "s")
    redis.call("ZREM", overdue, field)
    redis.call("HSET", orders, h.orderId, cjson.encode({
      orderId = h.orderId, holdId = string.match(field, "|(.*)$"), viewerId = viewerId, dropId = h.dropId, sku = d.sku,
      quantity = h.quantity, amountCents = h.amountCents, state = "sold", atMs = nowMs,
      chargeId = intentId,
    }))
  end
  return { STATES[h.state], h.orderId }
end

-- The money did not come: the hold is as it was, until its deadline.
function decide.decline(field, h)
  if not h then return { "notHeld" } end
  if h.state == "p" then
    -- Once overdue, it has left the list of deadlines: it must end here, even if the clock stepped back since.
    local wasOverdue = redis.call("ZREM", overdue, field) == 1
    if wasOverdue or nowMs >= h.deadlineMs then
      turn(dropOf(h.dropId))
      giveBack(field, h, "x", "expired")
    else
      local d = dropOf(h.dropId)
      d.version = d.version + 1
      dirtyDrops[d.dropId] = d
      setHold(field, h, "h")
    end
  end
  return { STATES[h.state] }
end

-- Is this the refund that return.lua asked for? Then the order has got its money back.
local function endReturn(h, intentId)
  local json = h.state == "s" and redis.call("HGET", orders, h.orderId)
  local order = json and cjson.decode(json)
  if not order or order.state ~= "refunding" or order.refundId ~= intentId then return false end
  order.state, order.refundedAtMs = "refunded", nowMs
  redis.call("HSET", orders, h.orderId, cjson.encode(order))
  return true
end

-- Money has been sent back: late money, or that of an order that was returned.
function decide.refund(field, h, _, intentId)
  if not h then return { "notHeld" } end
  if h.state == "l" or endReturn(h, intentId) then
    local d = dropOf(h.dropId)
    d.version = d.version + 1
    dirtyDrops[d.dropId] = d
    setHold(field, h, "r")
  end
  return { STATES[h.state] }
end

-- The cashier's word and its acknowledgement are one step. A word about an entry that was acknowledged before comes from a
-- worker that had crashed or was slow: by now the hold may be in its next payment, so nothing changes.
local CASHIER = { settle = true, decline = true, refund = true }
local function isStale(what, intentId)
  return CASHIER[what] and intentId ~= "" and redis.call("XACK", payments, "cashier", intentId) == 0
end

local answers = {}
local function answer(r)
  local field = r[2] .. "|" .. r[3]
  local h, stale = holdOf(field), isStale(r[1], r[4])
  local given = h and stale and { STATES[h.state], h.orderId }
    or decide[r[1]](field, h, r[2], r[4], r[5], r[6], r[7], r[8])
  -- A claim is about no hold, whatever its key.
  h = r[1] ~= "claim" and holds_[field]
  answers[#answers + 1] = h and guarded(dropOf(h.dropId), given) or given
end
for _, r in ipairs(requests) do
  if r[1] == "holds" then holdRun(r, answers) else answer(r) end
end
for couponId, c in pairs(dirtyCoupons) do
  redis.call("HSET", coupons, couponId, cjson.encode(c))
  tell("S", frame("couponChanged", c))
end
keepBooks()
return packAnswers(answers)
