-- redeem: coupons in memory while a script runs, and their use in a hold. Needs `books` before it. `decide` writes `dirtyCoupons` back.

local coupons_, dirtyCoupons = {}, {}
local function couponOf(couponId)
  local c = coupons_[couponId]
  if c == nil then
    local json = redis.call("HGET", coupons, couponId)
    c = json and cjson.decode(json) or false
    coupons_[couponId] = c
  end
  return c
end

-- Takes one claim of each coupon into the hold, all or none. Returns what they take off, or false.
local function redeem(d, viewerId, quantity, couponIds)
  local offCents, taken = 0, {}
  for _, couponId in ipairs(couponIds) do
    local c = couponOf(couponId)
    local fits = c and nowMs >= c.startsAtMs and nowMs < c.endsAtMs
      and (c.sku == "" or c.sku == d.sku)
      and d.priceCents * quantity >= c.minSpendCents
      and (c.stacks or #couponIds == 1)
      and turnClaim(couponId, viewerId, "u", "h")
    if not fits then
      for _, id in ipairs(taken) do turnClaim(id, viewerId, "h", "u") end
      return false
    end
    taken[#taken + 1] = couponId
    offCents = offCents + c.offCents
  end
  return offCents
end

-- The coupons of a hold as `couponId:offCents:claims`, for the ledger: what they take off, and how often they may at all. Or nil. [I8]
local function termsOf(h)
  if h.couponIds == "" then return nil end
  local terms = {}
  for couponId in string.gmatch(h.couponIds, "[^,]+") do
    local c = couponOf(couponId)
    terms[#terms + 1] = couponId .. ":" .. c.offCents .. ":" .. c.claims
  end
  return table.concat(terms, ",")
end
