-- rewind: has a webhook get a show's events again, or forgets how far it was. Whoever delivers them reads everything anew.
-- KEYS  outboxAt outboxTo outboxParked
-- ARGV  webhookId progress fromNo
-- RETURNS number of events that waited for another attempt and are now part of the replay
-- progress: JSON, see Progress in store.ts; "" forgets. fromNo: number of the first event to come again.

if progress == "" then
  redis.call("HDEL", outboxTo, webhookId)
else
  redis.call("HSET", outboxTo, webhookId, progress)
end
local dropped = 0
for _, field in ipairs(redis.call("HKEYS", outboxParked)) do
  local id, no = string.match(field, "^(.*)|(%d+)$")
  if id == webhookId and tonumber(no) >= tonumber(fromNo) then
    redis.call("HDEL", outboxParked, field)
    dropped = dropped + 1
  end
end
redis.call("HINCRBY", outboxAt, "turn", 1)
return dropped
