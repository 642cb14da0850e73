/** What each frame is for, in one sentence: the prose of PROTOCOL.md. Kept out of the table so that clients do not carry it. */
import type { FrameName } from "./frames.ts";

export const SAYS: Readonly<Record<FrameName, string>> = {
  hello:
    'First frame, within `helloWithinMs`. `token`: a join token, or the newest `ticket`. `client` names this app instance; `epoch` and `offset` say where to resume (`""` and 0: where the ticket stands; with a token nowhere).',
  beat: "Every 20–25 s: alive, and how far this client has read; what it lacks although it is older than 15 s is sent again. Also probes the clock.",
  seen: "While comments come, within every `seenEveryMs`: the newest tick this client has seen. Within 2 s after coming in, and while ticks come older than `maxCommentAgeMs`. Who falls behind is sent fewer comments.",
  comment:
    "Says something in the room. `seq` rises by one per comment of this `client`; a resend counts once.",
  react:
    "Likes and shares since the last one, added up. `seq` rises by one; unconfirmed ones are sent again after a reconnect and count once.",
  hold: "Reserves units. `key` is made before the first send and names this attempt for ever: the same key gets the same answer. `attempt` counts resends.",
  tap: "A `hold` whose answer may ride on what everybody or its buyer is told anyway: its own order under the key (`orderChanged`) says that it is held; the next `dropSoldOut` of the drop with `answersTaps` says that it is sold out. Whatever else there is to say, and sometimes these two as well, comes as `holdAnswered`. `restockEpoch` is that of the drop as the client knows it, not sold out there; a tap of an epoch that has ended is refused even if stock came back. An own order under the key comes before that event. After 2 s without either, or on another connection, send it as `hold`.",
  pay: "Pays a hold. `paying` means: the outcome follows as `orderChanged`.",
  cancel: "Gives a hold back.",
  catchUp:
    "A gap was found: everything of lane R after `offset`, please. Answered by those frames, or by `snapshot`; then `joined`.",
  wait: "Stands in line: for units that come back to a sold-out drop, or before the start for a drawn one. The turn comes as `orderChanged` (held). `cancel` with the key leaves the line.",
  claim:
    "Takes one of a coupon's claims. The key names this attempt; a repeat gets the same answer.",
  redeem:
    "A `hold` with more to show: claimed coupons, redeemed in the same atomic step, or a pass. Answered by `holdAnswered`; `coupon` there: one of them does not apply; `pass`: this drop wants a pass for this key. Nothing was held then.",
  pass: "Asks for what a drop with `admission` wants to see: a pass for this viewer, drop and key, so it admits one attempt and no other. A `nonce` solves the `challenge` that an earlier answer gave.",
  signal: "A call to the media side (names and bodies: media/signals.ts).",
  welcome:
    "Answer to hello. `resumed`: what was missed follows frame by frame; else `snapshot` follows. Then own orders, then `joined`.",
  joined: "The room is whole up to `offset`; live frames come from here on.",
  beaten: "Answer to beat: the server's clock (Redis TIME).",
  failed:
    "The world failed this command. `retryable`: the same command with the same key may be sent again after `retryAfterMs`.",
  commentAnswered: "`commentNo` 0: refused, or a repeat of one that is in already.",
  reacted: "Everything up to `seq` is in the totals.",
  holdAnswered:
    "`held`: the units are this viewer's until `deadlineMs`, and on disk. `holdId` is the key.",
  payAnswered: "`sold`: paid before. `paying`: wait for `orderChanged`.",
  cancelAnswered: "What the hold is now.",
  signalAnswered: "The media side's answer, as JSON text.",
  mediaChanged: "News from the media side, as JSON text: somebody went on or off the air.",
  goaway:
    "This node is leaving: at a moment of your choice within `delayMs` open another connection and greet there; this one delivers until you close it.",
  ticket:
    "Lets its bearer back in on any node, in the place of the token in `hello`, for an hour. Comes after `joined`, and anew from time to time; the newest counts.",
  feedChanged:
    "How many comments come from here on, as this client keeps up: `full`, `lite` (a few, every fourth tick) or `core` (none). After `welcome`: `full`.",
  orderChanged:
    "One of this viewer's own holds has a new state; the highest `version` wins. Terminal: sold, expired, cancelled, refunded.",
  claimAnswered: "`granted`: it is this viewer's. `gone`: the budget is claimed up.",
  couponsKept: "How many unused claims of a coupon this viewer has; the highest `version` wins.",
  couponList: "All coupons of the show, after a snapshot or a catch-up.",
  passAnswered:
    "`pass`: show it with `redeem` or `wait`, under the same key. `proof`: first find a `nonce`. `tooFast`: ask again after `retryAfterMs`.",
  waitAnswered:
    "`waiting`: in line with this ticket. `notNeeded`: there is stock, tap buy. `tooLate`: the draw is over, and it was all there is.",
  snapshot: "The whole room, in the place of whatever came before it.",
  showStarted: "The show is live.",
  showEnded: "The show is over.",
  productChanged: "A product is new in the bag, or different.",
  pinned: "Now showing; at most three, the newest first.",
  unpinned: "No longer showing.",
  dropAnnounced: "A drop is planned: its start and end are on the server's clock.",
  dropOpened: "The sale is open.",
  dropSoldOut:
    "Nothing is left in this `restockEpoch`. A `stockChanged` with a higher one reopens the sale.",
  dropClosed: "The sale is over. Holds stand until paid or lapsed.",
  muted: "A viewer may not comment until `untilMs` (0: may again).",
  commentDeleted: "A comment is to be taken off the screen.",
  dropVoided: "The sale is annulled: holds are given back, what was paid is refunded.",
  dropDrawn:
    "The order of those who queued has been drawn: its seed can be checked against `seedHash`.",
  couponAnnounced: "A coupon can be claimed in the room.",
  couponChanged: "How many claims a coupon's budget still covers.",
  slowModeChanged: "Between two comments of a viewer there must be so much time; 0: no such rule.",
  commentPinned: "This comment is held on top, in the place of the one before.",
  commentUnpinned: "No comment is held on top any more.",
  stockChanged: "A drop's books after its newest movement.",
  viewersChanged: "Viewers on all living nodes.",
  comments:
    "One tick's comments: a fair sample, with its receipt: `accepted` = the sum of `count` + `skipped`; `thinned` of the skipped were shown on feed `full`. `upTo` is the running sum of `accepted` on this connection's feed: what is missing in it was not sent, because the reader was slow. With `accepted` 0: earlier comments, or one's own that the sample left out.",
  totals: "The room's likes and shares.",
};
