-- presence: renews one node's lease, takes what has changed among its viewers, and tells the room when the number of different
-- viewers on all living nodes has changed. A viewer on two nodes is one viewer. [I10]
-- KEYS  meta log viewers watching present
-- ARGV  node leaseMs mode came left
-- RETURNS {viewers, epoch, offset, viewers of this node as known here}: who sees another epoch, or an offset behind its own, must
-- reopen the room; whose own count differs must tell the whole
-- mode: changes (came and left since the last call), whole (came is everybody), end (the lease is given up)
-- came, left: msgpack arrays of viewer ids · present: prefix of one set of viewer ids per node
-- A killed node's viewers vanish as a block when its lease ends. Safe to repeat. Cost: two commands per 500 ids and set.

if redis.call("EXISTS", meta) == 0 then return { 0, "", 0, 0 } end
local nowMs = now()
local AT_ONCE = 500

local function setOf(node) return present .. ":" .. node end

local function slices(ids, take)
  for at = 1, #ids, AT_ONCE do take({ unpack(ids, at, math.min(at + AT_ONCE - 1, #ids)) }) end
end

-- `watching` holds on how many nodes each viewer is.
local function add(ids, by)
  if #ids == 0 then return end
  local known, more, none = redis.call("HMGET", watching, unpack(ids)), {}, {}
  for i, id in ipairs(ids) do
    local n = tonumber(known[i] or "0") + by
    if n > 0 then
      more[#more + 1] = id
      more[#more + 1] = n
    else
      none[#none + 1] = id
    end
  end
  if #more > 0 then redis.call("HSET", watching, unpack(more)) end
  if #none > 0 then redis.call("HDEL", watching, unpack(none)) end
end

local function change(ids, command, by)
  slices(ids, function(some)
    local there, fresh = redis.call("SMISMEMBER", setOf(node), unpack(some)), {}
    for i, id in ipairs(some) do
      if (there[i] == 0) == (by > 0) then fresh[#fresh + 1] = id end
    end
    if #fresh > 0 then redis.call(command, setOf(node), unpack(fresh)) end
    add(fresh, by)
  end)
end

local function forget(gone)
  slices(redis.call("SMEMBERS", setOf(gone)), function(some) add(some, -1) end)
  redis.call("DEL", setOf(gone))
  redis.call("HDEL", viewers, gone)
end

if mode ~= "changes" then forget(node) end
if mode ~= "end" then
  redis.call("HSET", viewers, node, nowMs + tonumber(leaseMs))
  change(cmsgpack.unpack(came), "SADD", 1)
  change(cmsgpack.unpack(left), "SREM", -1)
end
local leases = redis.call("HGETALL", viewers)
for i = 1, #leases, 2 do
  if tonumber(leases[i + 1]) <= nowMs then forget(leases[i]) end
end
local sum = redis.call("HLEN", watching)
if sum ~= tonumber(redis.call("HGET", meta, "viewers") or "0") then
  local version = redis.call("HINCRBY", meta, "viewersVersion", 1)
  redis.call("HSET", meta, "viewers", sum)
  if sum > tonumber(redis.call("HGET", meta, "peakViewers") or "0") then redis.call("HSET", meta, "peakViewers", sum) end
  tell("S", frame("viewersChanged", { version = version, count = sum }))
end
return {
  sum, redis.call("HGET", meta, "epoch"), tonumber(redis.call("HGET", meta, "offset")),
  redis.call("SCARD", setOf(node)),
}
