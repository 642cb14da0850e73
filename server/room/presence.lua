-- presence: renews one node's lease on its viewers and tells the room when the sum over living nodes has changed. [I10]
-- KEYS  meta log viewers
-- ARGV  node count leaseMs
-- RETURNS {viewers on all living nodes, epoch, offset}: who sees another epoch, or an offset behind its own, must reopen the room
-- A killed node's viewers vanish as a block when its lease ends.

if redis.call("EXISTS", meta) == 0 then return { 0, "", 0 } end
local nowMs = now()
if tonumber(count) > 0 then
  redis.call("HSET", viewers, node, count .. "|" .. (nowMs + tonumber(leaseMs)))
else
  redis.call("HDEL", viewers, node)
end
local sum, all = 0, redis.call("HGETALL", viewers)
for i = 1, #all, 2 do
  local n, untilMs = string.match(all[i + 1], "^(%d+)|(%d+)$")
  if tonumber(untilMs) > nowMs then
    sum = sum + tonumber(n)
  else
    redis.call("HDEL", viewers, all[i])
  end
end
if sum ~= tonumber(redis.call("HGET", meta, "viewers") or "0") then
  local version = redis.call("HINCRBY", meta, "viewersVersion", 1)
  redis.call("HSET", meta, "viewers", sum)
  if sum > tonumber(redis.call("HGET", meta, "peakViewers") or "0") then redis.call("HSET", meta, "peakViewers", sum) end
  tell("S", frame("viewersChanged", { version = version, count = sum }))
end
return { sum, redis.call("HGET", meta, "epoch"), tonumber(redis.call("HGET", meta, "offset")) }
