-- return: takes back a sold order. Its units go where the product's policy says, and its money is asked for, in one step. [I1 I5 F6]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims
-- ARGV  orderId reason
-- USES  books
-- RETURNS refunding | refunded (both also for a repeat: nothing is done twice) | unknown
-- Policy (product.restock): drop, back on sale in the same drop while it runs, else as product; product, back to the product, for
-- the next drop (the default); none, lost, as food that was delivered. Movements, each from sold: `returned` to available;
-- `returnedToProduct` and `returnedAsLoss` to writtenOff. `cents` is the money that goes back.
-- The order is then `refunding`, until the cashier has the provider's word (decide.refund).

local json = redis.call("HGET", orders, orderId)
if not json then return "unknown" end
local order = cjson.decode(json)
if order.state ~= "sold" then return order.state end

local field = order.viewerId .. "|" .. order.holdId
local d, h = dropOf(order.dropId), holdOf(field)
local product = redis.call("HGET", products, d.sku)
local policy = product and cjson.decode(product).restock or "product"
turn(d)
d.sold = d.sold - h.quantity
countBuyer(d, order.viewerId, -h.quantity)
if policy == "drop" and not isOver(d) then
  d.available = d.available + h.quantity
  move("returned", d, field, h.quantity, h.amountCents)
  reopen(d)
else
  d.writtenOff = d.writtenOff + h.quantity
  move(policy == "none" and "returnedAsLoss" or "returnedToProduct", d, field, h.quantity, h.amountCents)
  if policy ~= "none" then giveToShop(d, h.quantity) end
end

order.state, order.reason, order.returnedAtMs = "refunding", reason, nowMs
order.refundId = redis.call("XADD", payments, "*", "what", "refund", "field", field, "cents", h.amountCents, "of", order.chargeId or "")
redis.call("HSET", orders, orderId, cjson.encode(order))
keepBooks()
return "refunding"
