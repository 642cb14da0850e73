/** What coupons say, and the price in its parts: rows of the viewer page's table. */
import type { Table } from "../shared/words.ts";

export const COUPON_WORDS = {
  coupons: ["优惠券", "Coupons"],
  coupon: ["优惠券", "Coupon"],
  couponLeft: ["剩 {n} 张", "{n} left"],
  couponFrom: ["满 {amount} 可用", "from {amount}"],
  claim: ["领取", "Claim"],
  claimAgain: ["再试一次", "Try again"],
  claimSoon: ["{clock} 后可领", "Opens {clock}"],
  claimed: ["已领取", "Claimed"],
  claimedWhy: ["下单时自动使用", "Used by itself when you buy"],
  claimGone: ["已领完", "All gone"],
  claimGoneWhy: ["刚被领完，没有扣你的次数", "The last one has just been taken"],
  claimLimit: ["已领过", "Taken before"],
  claimLimitWhy: ["每人可领的你都领到了", "You have had all you can have"],
  claimEnded: ["已结束", "Ended"],
  claimEndedWhy: ["领取时间已过", "The time to take it is over"],
  claimNoAnswer: ["还没收到答复，再试不会多领", "No answer yet. Trying again cannot take two"],
  couponDropped: [
    "优惠券这次没能用上，已按原价为你保留。不想要可以放回。",
    "The coupon did not apply, so it is held at full price. You can put it back.",
  ],
  toPay: ["应付", "To pay"],
  paid: ["已付", "Paid"],
} as const satisfies Table;
