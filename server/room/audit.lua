-- Library: who did what to whom in a show's room, written in the same step as the deed. Needs the key `audit` and the argument `by`
-- (`role|id`) among the script's own. An entry's time is its id's; the newest 20,000 are kept.

local function record(did, to, detail)
  local role, id = string.match(by, "^(%a+)|(.*)$")
  redis.call("XADD", audit, "MAXLEN", "~", 20000, "*", "role", role, "by", id, "did", did, "to", to, "detail", detail)
end
