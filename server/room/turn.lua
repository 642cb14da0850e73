-- turn: takes a show from scheduled to live to ended. Idempotent.
-- KEYS  meta log drops
-- ARGV  state
-- RETURNS live | ended | wrong (an ended show does not come back, a scheduled one cannot end) | rehearsing (a drop of class
-- `memory` goes on: its holds may be lost, so nobody may buy from it in earnest)

local before = redis.call("HGET", meta, "state")
if before == state then return state end
if state == "live" and before == "scheduled" then
  for _, json in ipairs(redis.call("HVALS", drops)) do
    local d = cjson.decode(json)
    if d.durability == "memory" and d.state ~= "closed" and d.state ~= "voided" then return "rehearsing" end
  end
  local atMs = now()
  redis.call("HSET", meta, "state", "live", "startedAtMs", atMs)
  announce("showStarted", { atMs = atMs })
elseif state == "ended" and before == "live" then
  local atMs = now()
  redis.call("HSET", meta, "state", "ended", "endedAtMs", atMs)
  announce("showEnded", { atMs = atMs })
else
  return "wrong"
end
return state
