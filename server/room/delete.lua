-- delete: takes one comment off every screen, also from the top. Idempotent.
-- KEYS  meta log pinnedComment deletedComments audit
-- ARGV  commentNo author by
-- USES  audit
-- RETURNS deleted | unknown

local no = tonumber(commentNo)
if no > tonumber(redis.call("HGET", meta, "commentNo") or "0") then return "unknown" end
if redis.call("SADD", deletedComments, commentNo) == 0 then return "deleted" end
local json = redis.call("GET", pinnedComment)
if json and cjson.decode(json).no == no then
  redis.call("DEL", pinnedComment)
  announce("commentUnpinned", { commentNo = no })
end
announce("commentDeleted", { commentNo = no })
record("deleteComment", commentNo, author ~= "" and "author=" .. author or "")
return "deleted"
