-- allot: gives units of a product to a new drop and announces it. Idempotent by dropId. [I1]
-- KEYS  meta log products drops due holds buyers deadlines overdue orders ledger payments coupons claims seeds
-- ARGV  json seed
-- USES  books
-- RETURNS {word, number}: allotted | exists | unknownProduct | showEnded | notRehearsal | shortStock (and the units there are)
-- json: dropId, sku, priceCents, allotment, perBuyerLimit, holdMs, startsAtMs (0: now), endsAtMs, mode, seedHash, admission, durability
-- (disk, replica, or memory, which only a show that has not started may have).
-- seed: of the draw, kept secret until then; "" for fcfs.

local d = cjson.decode(json)
if redis.call("HEXISTS", drops, d.dropId) == 1 then return { "exists", 0 } end
local product = redis.call("HGET", products, d.sku)
if not product then return { "unknownProduct", 0 } end
if redis.call("HGET", meta, "state") == "ended" then return { "showEnded", 0 } end
if d.durability == "memory" and redis.call("HGET", meta, "state") ~= "scheduled" then return { "notRehearsal", 0 } end
product = cjson.decode(product)
if product.stock < d.allotment then return { "shortStock", product.stock } end

product.stock = product.stock - d.allotment
redis.call("HSET", products, d.sku, cjson.encode(product))
announce("productChanged", { product = positional("PRODUCT", product) })

-- From here on the show knows its primary, and notices when it is another one.
redis.call("HSETNX", meta, "primary", runId())
if d.durability == "replica" then redis.call("HSET", meta, "guarded", 1) end
d.title, d.wasCents = product.title, product.priceCents
if d.startsAtMs == 0 then d.startsAtMs = nowMs end
d.state, d.version, d.restockEpoch, d.lastDeadlineMs = "announced", 0, 0, 0
d.waitlisted, d.waitServed, d.lastOfferMs, d.drawn = 0, 0, 0, false
if seed ~= "" then redis.call("HSET", seeds, d.dropId, seed) end
d.available, d.held, d.sold, d.restocked, d.writtenOff = d.allotment, 0, 0, 0, 0
drops_[d.dropId] = d
move("allotted", d, "", d.allotment, 0)
announce("dropAnnounced", { drop = positional("DROP", d) })
turn(d)
redis.call("ZADD", due, d.state == "announced" and d.startsAtMs or d.endsAtMs, d.dropId)
keepBooks()
return { "allotted", d.startsAtMs }
