-- close: ends a drop before its time. Holds stand until paid or past their deadline; units left go back to the product. [I1 I9]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims
-- ARGV  dropId
-- USES  books
-- RETURNS closed | unknown

local d = dropOf(dropId)
if not d then return "unknown" end
if not isOver(d) then
  d.endsAtMs = math.min(d.endsAtMs, nowMs)
  turn(d)
  -- The sweep sends those home who stand in line.
  redis.call("ZADD", due, nowMs, dropId)
  keepBooks()
end
return "closed"
