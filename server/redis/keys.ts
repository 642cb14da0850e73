/**
 * Every Redis key, once. All keys of a show share the hash tag `{show}`: one Cluster slot, one atomic step.
 * No key or field holds personal data; viewers appear under their pseudonymous ids.
 */

/** Keys of one show. */
export const showKeys = (show: string) => {
  const tag = `dropcast:{${show}}`;
  return {
    /** hash: title, currency, state, epoch, offset, commentNo, likes, shares, … */
    meta: `${tag}:meta`,
    /** stream, the show log. Ids are `offset-0` for lane R and `offset-n` for what follows it; see room/log.ts */
    log: `${tag}:log`,
    /** stream: accepted comments that are not in files yet; ids are `number-0`, see comments/record.ts */
    comments: `${tag}:comments`,
    /** hash: sku → product as JSON */
    products: `${tag}:products`,
    /** list of skus, newest first */
    pinned: `${tag}:pinned`,
    /** hash: dropId → drop as JSON, books included */
    drops: `${tag}:drops`,
    /** zset: dropId → the next time (ms) at which the sweep must look at it */
    due: `${tag}:due`,
    /** hash: `viewerId|key` → the hold, packed; it is also the remembered answer */
    holds: `${tag}:holds`,
    /** hash: `viewerId|key` → what a gateway found odd about that hold, joined by commas; only of the few */
    flags: `${tag}:holds:flags`,
    /** hash: `dropId|viewerId` → units held or bought, against the per-buyer limit */
    buyers: `${tag}:buyers`,
    /** prefix of one list per drop: `deadlineMs|viewerId|key`, in order of deadline; a run of holds is one line, see shop/holds.lua */
    deadlines: `${tag}:deadlines`,
    /** zset: `viewerId|key` of holds being paid → the end (ms) of their grace */
    overdue: `${tag}:overdue`,
    /** prefix of one list per drawn drop: `viewerId|key` of all entrants in drawn order, as it came out */
    drawn: `${tag}:drawn`,
    /** hash: couponId → coupon as JSON */
    coupons: `${tag}:coupons`,
    /** hash: `couponId|viewerId` → claims as `key=state,…`; u unused, h in a hold, s spent */
    claims: `${tag}:claims`,
    /** hash: dropId → the seed of its draw, secret until then */
    seeds: `${tag}:seeds`,
    /** hash: orderId → order as JSON */
    orders: `${tag}:orders`,
    /** stream: every movement of stock, never trimmed here */
    ledger: `${tag}:ledger`,
    /** stream: charges and refunds to carry out */
    payments: `${tag}:payments`,
    /** hash: charge → the provider's session as JSON; `@viewerId|key` → where its buyer pays */
    charges: `${tag}:charges`,
    /** zset: id of a payment provider's event → when it was heard (ms) */
    heard: `${tag}:heard`,
    /** stream: events for the shop's back end, kept for a week */
    outbox: `${tag}:outbox`,
    /** hash: who fills and empties the outbox, and how far the log has been read for it; see outbox/derive.lua */
    outboxAt: `${tag}:outboxAt`,
    /** hash: webhook id → how far it has been delivered, as JSON */
    outboxTo: `${tag}:outboxTo`,
    /** hash: `webhookId|event number` → an event that waits for another attempt, as JSON */
    outboxParked: `${tag}:outboxParked`,
    /** hash: `viewerId|client|what` → last sequence number applied, so that a resend counts once */
    applied: `${tag}:applied`,
    /** hash: gateway node → until when (ms) its viewers count */
    viewers: `${tag}:viewers`,
    /** hash: viewerId → on how many living nodes */
    watching: `${tag}:watching`,
    /** prefix of one set per gateway node: the viewer ids on it */
    present: `${tag}:present`,
    /** hash: gateway node → when (ms) it last told a buyer of a hold of class `replica`; see shop/recover.lua */
    journals: `${tag}:journals`,
    /** set: nodes that have told a new primary what their journals hold */
    reported: `${tag}:reported`,
    /** hash: viewerId → muted until (ms) */
    muted: `${tag}:muted`,
    /** hash: name of a rule for comments → its value as JSON; see room/moderation/rules.ts */
    rules: `${tag}:rules`,
    /** set: viewer ids whose comments only they themselves see */
    shadowed: `${tag}:shadowed`,
    /** set: viewer ids that may not come in any more */
    removed: `${tag}:removed`,
    /** string: the comment held on top, as JSON */
    pinnedComment: `${tag}:pinnedComment`,
    /** set: numbers of deleted comments */
    deletedComments: `${tag}:deletedComments`,
    /** stream: who did what to whom in the room */
    audit: `${tag}:audit`,
    /** set: viewer ids that somebody holds a token for */
    claimed: `${tag}:claimed`,
    /** hash: viewerId → when its first token was made (ms) */
    firstClaims: `${tag}:firstClaims`,
    /** string: the media process that owns this show's router */
    media: `${tag}:media`,
  } as const;
};

/** set: ids of all shows */
export const SHOWS_KEY = "dropcast:shows";
/** hash: process node id → its seconds-fresh figures as JSON */
export const NODES_KEY = "dropcast:nodes";
/** hash: media node id → MediaLease as JSON */
export const MEDIA_KEY = "dropcast:media";
/** hash: webhook id → Endpoint as JSON, secret included */
export const WEBHOOKS_KEY = "dropcast:webhooks";
