-- product: adds a product to the bag, or changes it (its stock as given: units that no drop has). Announced when anything changed.
-- KEYS  meta log products
-- ARGV  sku json mode
-- RETURNS added | changed | same | exists
-- mode: add (refused with exists when the sku is there) or put

local before = redis.call("HGET", products, sku)
if before and mode == "add" then return "exists" end
if before == json then return "same" end
redis.call("HSET", products, sku, json)
announce("productChanged", { product = positional("PRODUCT", cjson.decode(json)) })
return before and "changed" or "added"
