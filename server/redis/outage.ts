/**
 * Is this Redis being away (lost connection, loading, failing over, full), so that the same request may be sent again?
 * Anything else that a call throws is a bug of ours.
 */
export function isOutage(fault: unknown): boolean {
  const message = fault instanceof Error ? fault.message : "";
  return /closed|aborted|ECONN|ENOENT|EPIPE|EAGAIN|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|OOM|MISCONF|UNKILLABLE|UNBLOCKED|MOVED|TRYAGAIN|BUSY|isn't ready|slots cache|redirections|timed out|writeable|max retries/i.test(
    message,
  );
}
