-- rules: changes a room's rules for comments. Every node learns of what has changed, viewers only of slow mode. Idempotent.
-- KEYS  meta log rules audit
-- ARGV  changes by
-- USES  audit
-- RETURNS names of the rules that are different now
-- changes: msgpack array of {name, value as JSON}

local changed, names = {}, {}
for _, rule in ipairs(cmsgpack.unpack(changes)) do
  if redis.call("HGET", rules, rule[1]) ~= rule[2] then
    redis.call("HSET", rules, rule[1], rule[2])
    changed[#changed + 1] = rule
    names[#names + 1] = rule[1]
  end
end
if #changed == 0 then return names end
tell("M", cmsgpack.pack({ "rules", changed }))
local said = {}
for _, rule in ipairs(changed) do
  if rule[1] == "slowModeMs" then announce("slowModeChanged", { slowModeMs = tonumber(rule[2]) }) end
  -- A list of words by its length: the audit says who changed it, the rules say what it is.
  local value = cjson.decode(rule[2])
  said[#said + 1] = rule[1] .. "=" .. (type(value) == "table" and #value .. " words" or tostring(value))
end
record("rules", "", table.concat(said, " "))
return names
