-- pinComment: holds a comment on top, in the place of the one before. Idempotent.
-- KEYS  meta log pinnedComment deletedComments audit
-- ARGV  commentNo json by
-- USES  audit
-- RETURNS pinned | deleted
-- json: the comment as all viewers had it

if redis.call("SISMEMBER", deletedComments, commentNo) == 1 then return "deleted" end
if redis.call("GET", pinnedComment) == json then return "pinned" end
redis.call("SET", pinnedComment, json)
local comment = cjson.decode(json)
announce("commentPinned", { comment = positional("COMMENT", comment) })
record("pinComment", commentNo, "author=" .. comment.viewerId)
return "pinned"
