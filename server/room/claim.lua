-- claim: somebody is given a token for a viewer id. The first time counts as the viewer's coming to the show.
-- KEYS  claimed firstClaims
-- ARGV  viewerId
-- RETURNS {1 where nobody had the id, time (ms) of its first token}

local isNew = redis.call("SADD", claimed, viewerId)
redis.call("HSETNX", firstClaims, viewerId, now())
return { isNew, tonumber(redis.call("HGET", firstClaims, viewerId)) }
