-- comment: numbers a node's accepted comments and appends them to the log and to the record, each client sequence number once.
-- KEYS  meta log applied comments
-- ARGV  batch
-- RETURNS list of comment numbers, 0 for a repeat
-- batch: msgpack array of {viewerId, client, seq, name, role, text, isHidden}; hidden ones are for their author alone

local list, fields = cmsgpack.unpack(batch), {}
for i, c in ipairs(list) do fields[i] = c[1] .. "|" .. c[2] .. "|c" end
local last = {}
for i, seq in ipairs(redis.call("HMGET", applied, unpack(fields))) do last[fields[i]] = tonumber(seq or "0") end

local fresh = {}
for i, c in ipairs(list) do
  if c[3] > last[fields[i]] then
    last[fields[i]] = c[3]
    fresh[#fresh + 1] = i
  end
end
local numbers = {}
for i = 1, #list do numbers[i] = 0 end
if #fresh > 0 then
  local no = redis.call("HINCRBY", meta, "commentNo", #fresh) - #fresh
  local shown, hidden, marks = {}, {}, {}
  for n, i in ipairs(fresh) do
    local c = list[i]
    numbers[i] = no + n
    local out = c[7] and hidden or shown
    out[#out + 1] = { no + n, c[1], c[4], c[5], c[6], c[2], c[3] }
    marks[2 * n - 1], marks[2 * n] = fields[i], c[3]
  end
  redis.call("HSET", applied, unpack(marks))
  local said = {}
  for name, out in pairs({ V = shown, H = hidden }) do
    if #out > 0 then
      said[#said + 1] = name
      said[#said + 1] = cmsgpack.pack({ now(), out })
    end
  end
  tell(unpack(said))
  redis.call("XADD", comments, (no + 1) .. "-0", unpack(said))
end
return numbers
