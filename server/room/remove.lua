-- remove: a viewer leaves the show and does not come back (isOn 1), or may again (isOn 0). Every node is told. Idempotent.
-- KEYS  meta log removed audit
-- ARGV  viewerId isOn by
-- USES  audit
-- RETURNS changed | same

local change = isOn == "1" and redis.call("SADD", removed, viewerId) or redis.call("SREM", removed, viewerId)
if change == 0 then return "same" end
tell("M", cmsgpack.pack({ "remove", viewerId, tonumber(isOn) }))
record(isOn == "1" and "remove" or "readmit", viewerId, "")
return "changed"
