-- claim-media: makes a media process the owner of a show's router, unless a living one owns it.
-- KEYS  media
-- ARGV  node dead
-- RETURNS the owner
-- dead: the owner that was found to be gone, "" for none.

local owner = redis.call("GET", media)
if owner and owner ~= dead then return owner end
redis.call("SET", media, node)
return node
