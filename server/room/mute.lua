-- mute: keeps a viewer from commenting for a while; forMs 0 lets them speak again.
-- KEYS  meta log muted audit
-- ARGV  viewerId forMs by
-- USES  audit
-- RETURNS the time (ms) until which the viewer is muted, 0: not muted

local untilMs = 0
if tonumber(forMs) > 0 then
  untilMs = now() + tonumber(forMs)
  redis.call("HSET", muted, viewerId, untilMs)
else
  redis.call("HDEL", muted, viewerId)
end
announce("muted", { viewerId = viewerId, untilMs = untilMs })
record(untilMs > 0 and "mute" or "unmute", viewerId, untilMs > 0 and "forMs=" .. forMs or "")
return untilMs
