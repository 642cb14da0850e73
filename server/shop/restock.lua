-- restock: gives more units of the product to a drop. Those in line come first, then a new restock epoch opens. [I1]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims applied
-- ARGV  dropId units key
-- USES  books
-- RETURNS {word, number}: restocked (units available now) | unknown | closed | shortStock (and the units there are)
-- key: names this restock for ever: ioredis sends a call whose reply was lost once more, and it must not count twice. [F2]

local d = dropOf(dropId)
if not d then return { "unknown", 0 } end
local before = redis.call("HGET", applied, "restock|" .. key)
if before then return { "restocked", tonumber(before) } end
turn(d)
if isOver(d) then
  keepBooks()
  return { "closed", 0 }
end
local product = cjson.decode(redis.call("HGET", products, d.sku))
local units = tonumber(units)
if product.stock < units then
  -- The clock may have opened the drop just now, and said so.
  keepBooks()
  return { "shortStock", product.stock }
end
giveToShop(d, -units)
d.restocked, d.available = d.restocked + units, d.available + units
move("restocked", d, "", units, 0)
if d.state == "soldOut" then reopen(d) end
redis.call("HSET", applied, "restock|" .. key, d.available)
keepBooks()
return { "restocked", d.available }
