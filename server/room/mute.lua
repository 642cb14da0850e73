-- mute: keeps a viewer from commenting for a while; forMs 0 lets them speak again.
-- KEYS  meta log muted
-- ARGV  viewerId forMs
-- RETURNS the time (ms) until which the viewer is muted, 0: not muted

local untilMs = 0
if tonumber(forMs) > 0 then
  untilMs = now() + tonumber(forMs)
  redis.call("HSET", muted, viewerId, untilMs)
else
  redis.call("HDEL", muted, viewerId)
end
announce("muted", { viewerId = viewerId, untilMs = untilMs })
return untilMs
