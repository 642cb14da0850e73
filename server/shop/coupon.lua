-- coupon: makes a coupon and announces it. Its budget is a number of claims: budget ÷ what one takes off. [I8]
-- KEYS  meta log coupons
-- ARGV  json
-- RETURNS made | exists
-- json: a COUPON record; left is the number of claims. How many there were is kept with it, for the ledger.

local c = cjson.decode(json)
c.claims = c.left
if redis.call("HSETNX", coupons, c.couponId, cjson.encode(c)) == 0 then return "exists" end
announce("couponAnnounced", { coupon = positional("COUPON", c) })
return "made"
