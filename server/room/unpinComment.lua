-- unpinComment: the comment is no longer held on top. Idempotent, and harmless to another one.
-- KEYS  meta log pinnedComment audit
-- ARGV  commentNo by
-- USES  audit
-- RETURNS unpinned | other

local json = redis.call("GET", pinnedComment)
if not json or cjson.decode(json).no ~= tonumber(commentNo) then return "other" end
redis.call("DEL", pinnedComment)
announce("commentUnpinned", { commentNo = tonumber(commentNo) })
record("unpinComment", commentNo, "")
return "unpinned"
