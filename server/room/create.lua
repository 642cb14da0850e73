-- create: makes a show. Idempotent only in refusing: a second call with the id finds it there.
-- KEYS  meta payments
-- ARGV  title currency epoch
-- RETURNS created | exists

if redis.call("EXISTS", meta) == 1 then return "exists" end
redis.call("HSET", meta, "title", title, "currency", currency, "epoch", epoch, "state", "scheduled",
  "createdAtMs", now(), "offset", 1)
redis.call("XGROUP", "CREATE", payments, "cashier", "0", "MKSTREAM")
return "created"
