-- unpin: takes a product off "now showing". Idempotent.
-- KEYS  meta log pinned
-- ARGV  sku
-- RETURNS unpinned

if redis.call("LREM", pinned, 0, sku) > 0 then announce("unpinned", { sku = sku }) end
return "unpinned"
