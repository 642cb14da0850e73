-- pin: shows a product as "now", at most three at a time, the oldest leaving first. Idempotent.
-- KEYS  meta log products pinned
-- ARGV  sku
-- RETURNS pinned | unknown

if redis.call("HEXISTS", products, sku) == 0 then return "unknown" end
if not redis.call("LPOS", pinned, sku) then
  redis.call("LPUSH", pinned, sku)
  announce("pinned", { sku = sku })
  if redis.call("LLEN", pinned) > 3 then
    announce("unpinned", { sku = redis.call("RPOP", pinned) })
  end
end
return "pinned"
