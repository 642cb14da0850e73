-- Put before every script, after the names of its KEYS and ARGV and the table WIRE (frame name → {opcode, field names…}).
-- Functions that write the log need the keys `meta` and `log` among the script's KEYS.

-- Redis TIME in ms: the one clock of every sale.
local function now()
  local t = redis.call("TIME")
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Which server this is: another one after every failover, and after every restart.
local function runId()
  return string.match(redis.call("INFO", "server"), "run_id:(%x+)")
end

-- A record (drop, product …) in wire order.
local function positional(name, body)
  local names, out = WIRE[name], {}
  for i = 2, #names do out[i - 1] = body[names[i]] end
  return out
end

-- A frame's bytes, as every viewer will get them.
local function frame(name, body)
  local names, out = WIRE[name], { WIRE[name][1] }
  for i = 2, #names do out[i] = body[names[i]] end
  return cmsgpack.pack(out)
end

-- Lane R: the next dense offset of the show, and the event under it.
local function announce(name, body)
  body.offset = redis.call("HINCRBY", meta, "offset", 1)
  redis.call("XADD", log, "MAXLEN", "~", LOG_KEEP, body.offset .. "-0", "R", frame(name, body))
  return body.offset
end

-- Every other lane: an entry after the newest offset. `...` are field, bytes pairs.
local function tell(...)
  local offset = redis.call("HGET", meta, "offset")
  redis.call("XADD", log, "MAXLEN", "~", LOG_KEEP, offset .. "-*", ...)
end
