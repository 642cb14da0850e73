-- delete: takes one comment off every screen.
-- KEYS  meta log
-- ARGV  commentNo
-- RETURNS deleted | unknown

if tonumber(commentNo) > tonumber(redis.call("HGET", meta, "commentNo") or "0") then return "unknown" end
announce("commentDeleted", { commentNo = tonumber(commentNo) })
return "deleted"
