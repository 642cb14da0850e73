-- react: adds clients' likes and shares to the show's totals, each client sequence number once. [I10]
-- KEYS  meta log applied
-- ARGV  batch
-- RETURNS number of entries that were new
-- batch: msgpack array of {viewerId, client, seq, likes, shares}, a client's in rising seq

local entries, fields = cmsgpack.unpack(batch), {}
for i, e in ipairs(entries) do fields[i] = e[1] .. "|" .. e[2] .. "|r" end
local last = {}
for i, seq in ipairs(redis.call("HMGET", applied, unpack(fields))) do last[fields[i]] = tonumber(seq or "0") end

local likes, shares, marks, fresh = 0, 0, {}, 0
for i, e in ipairs(entries) do
  if e[3] > last[fields[i]] then
    last[fields[i]] = e[3]
    likes, shares, fresh = likes + e[4], shares + e[5], fresh + 1
    marks[2 * fresh - 1], marks[2 * fresh] = fields[i], e[3]
  end
end
if fresh > 0 then
  redis.call("HSET", applied, unpack(marks))
  tell("A", frame("totals", {
    version = redis.call("HINCRBY", meta, "totalsVersion", 1),
    likes = redis.call("HINCRBY", meta, "likes", likes),
    shares = redis.call("HINCRBY", meta, "shares", shares),
  }))
end
return fresh
