-- recover: notices that the show is on another primary: another history begins, and drops of class `replica` stand still until the
-- nodes have told what they know. Any process may look, any number of times.
-- KEYS  meta drops due journals reported
-- ARGV  node hasReported epoch minMs maxMs keepMs
-- RETURNS {word, epoch, number, guarded}: settled | recovering | resumed (and journals that did not come in time) | gone; guarded is 1
-- for a show that has or had drops of class `replica`.
-- epoch: the show's new one, if this call is the first on the new primary. Waits at least minMs, so that every living node has
-- looked once, and at most maxMs for the nodes in `journals`; one that gave no sign for keepMs is not waited for. [F1]
-- A show without such drops waits for nobody, and a server that was merely started again with its own file is no other history to it.

local epochNow, primary, nowMs = redis.call("HGET", meta, "epoch"), redis.call("HGET", meta, "primary"), now()
if not epochNow then return { "gone", "", 0, 0 } end
local guarded = redis.call("HEXISTS", meta, "guarded")
if not primary then return { "settled", epochNow, 0, guarded } end
local this = runId()
if primary == this then return { "settled", epochNow, 0, guarded } end

-- A replica that became a primary remembers whose it was; a server that read its own append-only file remembers nobody.
if guarded == 0 and string.find(redis.call("INFO", "replication"), "master_replid2:0000000000") then
  redis.call("HSET", meta, "primary", this)
  return { "settled", epochNow, 0, guarded }
end

if redis.call("HGET", meta, "recovering") ~= this then
  -- Another history begins. What was shown of the lost one may have had higher versions: go beyond them all.
  redis.call("HSET", meta, "epoch", epoch, "recovering", this, "recoverFromMs", nowMs)
  for _, version in ipairs({ "claimVersion", "viewersVersion", "totalsVersion" }) do
    redis.call("HINCRBY", meta, version, 1000000)
  end
  redis.call("DEL", reported)
  local all = redis.call("HGETALL", drops)
  for i = 1, #all, 2 do
    local d = cjson.decode(all[i + 1])
    d.version = d.version + 1000000
    redis.call("HSET", drops, all[i], cjson.encode(d))
  end
  if guarded == 1 then return { "recovering", epoch, 0, guarded } end
  redis.call("HSET", meta, "primary", this)
  redis.call("HDEL", meta, "recovering", "recoverFromMs")
  return { "resumed", epoch, 0, guarded }
end

if hasReported == "0" then return { "recovering", epochNow, 0, guarded } end
redis.call("SADD", reported, node)
local fromMs, missing = tonumber(redis.call("HGET", meta, "recoverFromMs")), 0
local kept = redis.call("HGETALL", journals)
for i = 1, #kept, 2 do
  if tonumber(kept[i + 1]) + tonumber(keepMs) < nowMs then
    redis.call("HDEL", journals, kept[i])
  elseif redis.call("SISMEMBER", reported, kept[i]) == 0 then
    missing = missing + 1
  end
end
if nowMs < fromMs + tonumber(minMs) or (missing > 0 and nowMs < fromMs + tonumber(maxMs)) then
  return { "recovering", epochNow, missing, guarded }
end
redis.call("HSET", meta, "primary", this)
redis.call("HDEL", meta, "recovering", "recoverFromMs")
redis.call("DEL", reported)
for _, dropId in ipairs(redis.call("HKEYS", drops)) do redis.call("ZADD", due, "LT", nowMs, dropId) end
return { "resumed", epochNow, missing, guarded }
