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

-- Refusals of taps that need no frame of their own: until the end of the batch, when it is known whether "sold out" stands.
local riding = {}
local function mayRide(d, answer, epoch)
  if answer[1] == "soldOut" and d.restockEpoch == epoch and answersTaps(d) then riding[#riding + 1] = { d, epoch, answer } end
end

-- Marks the refusals that the event tells, by a third field.
local function markRiding()
  for _, one in ipairs(riding) do
    local d, epoch, answer = unpack(one)
    if d.state == "soldOut" and d.restockEpoch == epoch then answer[3] = 1 end
  end
end

-- The record that all holds of a run share, until something becomes of one of them.
local function runRecord(d, quantity)
  return {
    dropId = d.dropId, quantity = quantity, state = "h", amountCents = d.priceCents * quantity, orderId = "", ticket = 0,
    discountCents = 0, couponIds = "", deadlineMs = math.max(d.lastDeadlineMs, nowMs + d.holdMs),
  }
end

-- Takes units for those whose fields these are, in one movement.
local function takeRun(d, h, fields)
  local count, quantity = #fields, h.quantity
  setDeadline(d, table.concat(fields, "\n"), h, "", d.holdMs)
  d.available, d.held = d.available - count * quantity, d.held + count * quantity
  move("held", d, fields, quantity, 0, count)
  h.version = d.version
  h.packed = packHold(h)
  changedOrders[#changedOrders + 1] = {
    fields, "", d.dropId, quantity, STATES.h, h.deadlineMs, h.amountCents, h.orderId, h.version, h.ticket, h.discountCents,
  }
  noteSoldOut(d)
end

-- fields: `viewerId|key` of each; counted: `dropId|viewerId`; epoch: of taps, the restock epoch they are for, else -1. Adds their answers.
local function holdRun(run, answers)
  local _, dropId, quantity, fields, counted, level, flags, epoch = unpack(run)
  local d, first = dropOf(dropId), #answers
  local no = refusalOf(d, level)
  -- What its buyer was told is over must not come true behind its back.
  if not no and epoch >= 0 and d.restockEpoch > epoch then no = { "soldOut", d.restockEpoch } end
  local kept, bought = redis.call("HMGET", holds, unpack(fields)), {}
  if not no then bought = redis.call("HMGET", buyers, unpack(counted)) end
  local soldOut, limit = no or { "soldOut", d.restockEpoch }, no or { "limit", d.perBuyerLimit }
  local own = not no and runRecord(d, quantity)
  local held = own and guarded(d, firstAnswer(own))
  local left, taken, dirty, changed = no and -1 or d.available, {}, #dirtyHolds, #dirtyBuyers
  for i, field in ipairs(fields) do
    local h, answer = holds_[field], nil
    if h == nil and kept[i] then h = readHold(kept[i]) end
    if h then
      answer = h == own and held or guarded(dropOf(h.dropId), firstAnswer(h))
    elseif left < quantity then
      answer = soldOut
    else
      local buyer = counted[i]
      local has = (buyers_[buyer] or tonumber(bought[i] or 0)) + quantity
      if has > d.perBuyerLimit then
        answer = limit
      else
        answer, left = held, left - quantity
        local count = #taken + 1
        taken[count], dirtyHolds[dirty + count], holds_[field] = field, field, own
        buyers_[buyer], dirtyBuyers[changed + count] = has, buyer
        noteFlags(field, flags[i])
      end
    end
    answers[first + i] = answer
  end
  if #taken > 0 then takeRun(d, own, taken) end
  if epoch < 0 or not d then return end
  mayRide(d, soldOut, epoch)
  -- The order itself goes to its buyer through the log.
  if held and answersTaps(d) then held[4] = 1 end
end

-- As decide.lua returns them: in a rush thousands get the same answer, which is packed once.
local function packAnswers(answers)
  markRiding()
  local different, placeOf, picks = {}, {}, {}
  for i, answer in ipairs(answers) do
    local place = placeOf[answer]
    if not place then
      place = #different + 1
      different[place], placeOf[answer] = answer, place
    end
    picks[i] = place
  end
  return cmsgpack.pack({ different, picks })
end
