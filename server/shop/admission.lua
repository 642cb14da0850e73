-- admission: what a drop asks of those who want its units, and what was noticed about those who got some. Needs `books` before it.
-- A gateway has checked the pass and says how far it admits (gateway/door.ts); whether that is enough is said here, by the drop itself.

local LEVELS = { flagged = 1, token = 2, proof = 3 }

local function lacksPass(d, level)
  local needed = LEVELS[d.admission]
  return needed and needed > (level or 0)
end

-- Flags stay as long as the order does. Only of those who got something: a flood of refusals costs no memory.
local function noteFlags(field, flags)
  if flags and flags ~= "" then redis.call("HSET", holds .. ":flags", field, flags) end
end
