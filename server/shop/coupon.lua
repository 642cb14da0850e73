-- coupon: makes a coupon and announces it. Its budget is a number of claims: budget ÷ what one takes off. [I8]
-- KEYS  meta log coupons
-- ARGV  json
-- RETURNS made | exists
-- json: a COUPON record; left is the number of claims.

local c = cjson.decode(json)
if redis.call("HSETNX", coupons, c.couponId, json) == 0 then return "exists" end
announce("couponAnnounced", { coupon = positional("COUPON", c) })
return "made"
