-- settle: keeps how far one webhook has been delivered, and which events wait for another attempt.
-- KEYS  outboxAt outboxTo outboxParked
-- ARGV  owner turn webhookId progress parked unparked
-- RETURNS kept | lost (another process has the lease, or the webhook was replayed or removed: read everything anew)
-- progress: JSON, see Progress in store.ts. parked: JSON {event number: event as text}. unparked: JSON [event number …].

local holder, turnNo = unpack(redis.call("HMGET", outboxAt, "owner", "turn"))
if holder ~= owner or (turnNo or "0") ~= turn then return "lost" end
redis.call("HSET", outboxTo, webhookId, progress)
for no, event in pairs(cjson.decode(parked)) do
  redis.call("HSET", outboxParked, webhookId .. "|" .. no, event)
end
for _, no in ipairs(cjson.decode(unparked)) do
  redis.call("HDEL", outboxParked, webhookId .. "|" .. no)
end
return "kept"
