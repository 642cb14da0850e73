-- holds: holds without coupons that come one after the other and want as many of the same drop, decided in order of arrival. What
-- they have in common is kept once: one deadline, one ledger line, one line of the log. Needs `books` and `admission`. [I2 I3 I4 I9]
-- Cost of a hold: two hash fields read and written, and its name in these three lists.

-- The answer of a hold that there is already, whatever became of it.
local function firstAnswer(h)
  -- Without a deadline it was only a place in line.
  return h.deadlineMs == 0 and { "soldOut", 0 } or { "held", h.deadlineMs, h.quantity }
end

-- What everybody is answered who wants units of this drop now; nil: there are some.
local function refusalOf(d, level)
  if not d then return { "unknown" } end
  if isPaused(d) then return { "paused" } end
  turn(d)
  if d.state == "announced" then return { "notOpen", d.startsAtMs } end
  if isOver(d) then return { "closed" } end
  if d.state == "soldOut" then return { "soldOut", d.restockEpoch } end
  if lacksPass(d, level) then return { "pass" } end
end

-- Nobody may be told of a hold of class replica before replicas have it.
local function guarded(d, answer)
  if d and d.durability == "replica" then answer[#answer + 1] = "replica" end
  return answer
end

-- Takes units for those whose fields these are, in one movement.
local function takeRun(d, quantity, fields)
  local count, h = #fields, {
    dropId = d.dropId, quantity = quantity, state = "h", amountCents = d.priceCents * quantity, orderId = "", ticket = 0,
    discountCents = 0, couponIds = "",
  }
  setDeadline(d, table.concat(fields, "\n"), h, "", d.holdMs)
  d.available, d.held = d.available - count * quantity, d.held + count * quantity
  move("held", d, fields, quantity, 0, count)
  h.version = d.version
  h.packed = packHold(h)
  for _, field in ipairs(fields) do
    holds_[field], dirtyHolds[#dirtyHolds + 1] = h, field
  end
  changedOrders[#changedOrders + 1] = {
    fields, "", d.dropId, quantity, STATES.h, h.deadlineMs, h.amountCents, h.orderId, h.version, h.ticket, h.discountCents,
  }
  noteSoldOut(d)
  return h
end

-- fields: `viewerId|key` of each; counted: `dropId|viewerId`. Adds their answers.
local function holdRun(run, answers)
  local _, dropId, quantity, fields, counted, level, flags = unpack(run)
  local d, first = dropOf(dropId), #answers
  local no = refusalOf(d, level)
  local kept, bought = redis.call("HMGET", holds, unpack(fields)), {}
  if not no then bought = redis.call("HMGET", buyers, unpack(counted)) end
  local soldOut, limit = no or { "soldOut", d.restockEpoch }, no or { "limit", d.perBuyerLimit }
  local left, taken, places, mine = no and 0 or d.available, {}, {}, {}
  for i, field in ipairs(fields) do
    local h, buyer = holds_[field], counted[i]
    if h == nil and kept[i] then h = readHold(kept[i]) end
    if h then
      answers[first + i] = guarded(dropOf(h.dropId), firstAnswer(h))
    elseif mine[field] then
      places[#places + 1] = first + i
    elseif left < quantity then
      answers[first + i] = soldOut
    else
      local has = (buyers_[buyer] or tonumber(bought[i] or 0)) + quantity
      if has > d.perBuyerLimit then
        answers[first + i] = limit
      else
        left = left - quantity
        buyers_[buyer], dirtyBuyers[#dirtyBuyers + 1] = has, buyer
        taken[#taken + 1], places[#places + 1], mine[field] = field, first + i, true
        noteFlags(field, flags[i])
      end
    end
  end
  if #taken == 0 then return end
  local h = takeRun(d, quantity, taken)
  local held = guarded(d, firstAnswer(h))
  for _, place in ipairs(places) do answers[place] = held end
end
