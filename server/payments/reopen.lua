-- reopen: money has come for a charge, says the provider. May the cashier's word be given, or what else is due? [F4 F5]
-- KEYS  payments holds orders charges
-- ARGV  chargeId
-- RETURNS settle (decide.lua may be told) | absorbed (it was before) | refunding (it goes back) | unknown
-- A charge that was acknowledged as declined, and is paid after all, becomes pending once more where its hold can still use the
-- money; should we die then, the cashier finds it among its own. Where another charge has paid or is paying, this one goes back, once.

local entry = redis.call("XRANGE", payments, chargeId, chargeId)[1]
if not entry then return "unknown" end
local charge = {}
for i = 1, #entry[2], 2 do charge[entry[2][i]] = entry[2][i + 1] end
if charge.what ~= "charge" then return "unknown" end
if #redis.call("XPENDING", payments, "cashier", chargeId, chargeId, 1) > 0 then return "settle" end

local packed = redis.call("HGET", holds, charge.field)
if not packed then return "unknown" end
local state, orderId = string.match(packed, "^[^|]*|%d+|(%a)|%d+|%d+|([^|]*)|")
if state == "h" or state == "x" or state == "c" then
  redis.call("XCLAIM", payments, "cashier", "late", 0, chargeId, "FORCE", "JUSTID")
  return "settle"
end
local order = orderId ~= "" and redis.call("HGET", orders, orderId)
if order and cjson.decode(order).chargeId == chargeId then return "absorbed" end
if redis.call("HSETNX", charges, "refunded|" .. chargeId, 1) == 0 then return "absorbed" end
redis.call("XADD", payments, "*", "what", "refund", "field", charge.field, "cents", charge.cents, "of", chargeId)
return "refunding"
