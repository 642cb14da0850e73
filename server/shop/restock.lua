-- restock: gives more units of the product to a drop. Those in line come first, then a new restock epoch opens. [I1]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims
-- ARGV  dropId units
-- USES  books
-- RETURNS {word, number}: restocked (units available now) | unknown | closed | shortStock (and the units there are)

local d = dropOf(dropId)
if not d then return { "unknown", 0 } end
turn(d)
if isOver(d) then
  keepBooks()
  return { "closed", 0 }
end
local product = cjson.decode(redis.call("HGET", products, d.sku))
local units = tonumber(units)
if product.stock < units then return { "shortStock", product.stock } end
giveToShop(d, -units)
d.restocked, d.available = d.restocked + units, d.available + units
move("restocked", d, "", units, 0)
if d.state == "soldOut" then reopen(d) end
keepBooks()
return { "restocked", d.available }
