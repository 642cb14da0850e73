-- shadow: from now on a viewer's comments are shown to nobody else (isOn 1), or again to all (isOn 0). Viewers are not told. Idempotent.
-- KEYS  meta log shadowed audit
-- ARGV  viewerId isOn by
-- USES  audit
-- RETURNS changed | same

local change = isOn == "1" and redis.call("SADD", shadowed, viewerId) or redis.call("SREM", shadowed, viewerId)
if change == 0 then return "same" end
tell("M", cmsgpack.pack({ "shadow", viewerId, tonumber(isOn) }))
record(isOn == "1" and "shadowBan" or "shadowUnban", viewerId, "")
return "changed"
