-- trim: takes settled charges and refunds out of the payments stream, once no provider has anything more to say about them.
-- KEYS  payments
-- ARGV  keepMs
-- RETURNS number of entries taken out
-- What a cashier has not been given yet, or has not finished, stays, and whatever came after it.

local before = now() - tonumber(keepMs) .. "-0"
local function msOf(id) return tonumber(string.match(id, "^%d+")) end
local given
for _, group in ipairs(redis.call("XINFO", "GROUPS", payments)) do
  local facts = {}
  for i = 1, #group, 2 do facts[group[i]] = group[i + 1] end
  if facts.name == "cashier" then given = facts["last-delivered-id"] end
end
if not given then return 0 end
local oldest = redis.call("XPENDING", payments, "cashier")[2]
if oldest and msOf(oldest) < msOf(before) then before = oldest end
if msOf(given) < msOf(before) then before = given end
return redis.call("XTRIM", payments, "MINID", before)
