-- turn: takes a show from scheduled to live to ended. Idempotent.
-- KEYS  meta log
-- ARGV  state
-- RETURNS live | ended | wrong (an ended show does not come back, a scheduled one cannot end)

local before = redis.call("HGET", meta, "state")
if before == state then return state end
if state == "live" and before == "scheduled" then
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
