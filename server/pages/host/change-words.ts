/** What the host changes under way: drops, coupons, orders, the rules of the talk. Rows of the console's table. */
import type { Table } from "../shared/words.ts";

export const CHANGE_WORDS = {
  restock: ["补货", "Restock"],
  restockUnits: ["再放几件", "Units to add"],
  restocked: ["已补 {n} 件，候补的人先得", "{n} added; the waitlist is served first"],
  voidDrop: ["作废", "Annul"],
  voidReason: ["作废原因（观众可见）", "Reason, shown to viewers"],
  voidReasonHint: ["例如：标错了价格", "For example: the price was wrong"],
  voidSure: ["作废并退 {n} 件？", "Annul, refund {n}?"],
  voidWhy: [
    "未付款的保留和剩余库存立即收回，已付的全部退款。不能撤销。",
    "Unpaid holds and units left go back at once; everything paid is refunded. There is no way back.",
  ],
  voidDone: ["已作废，已付订单正在退款", "Annulled. Paid orders are being refunded"],

  coupons: ["优惠券", "Coupons"],
  couponTitle: ["名称", "Title"],
  couponTitleHint: ["例如：开场红包", "For example: welcome gift"],
  couponOff: ["每张减", "Takes off"],
  couponBudget: ["总预算", "Budget"],
  couponMin: ["最低消费", "Least spend"],
  anyProduct: ["全部商品", "Any product"],
  makeCoupon: ["发优惠券", "Give out"],
  makeCoupons: ["发 {n} 张优惠券", "Give out {n}"],
  couponMade: ["已发出，观众现在可以领取", "Out now: viewers can claim it"],
  couponLeft: ["剩 {n} 张", "{n} left"],
  couponGone: ["已领完", "All gone"],
  couponFrom: ["满 {amount} 可用", "from {amount}"],
  needTitle: ["请填名称", "A title, please"],

  noOrders: ["还没有订单", "No orders yet"],
  newestOrders: ["最新 {n} 笔", "the newest {n}"],
  orderUnits: ["{n} 件", "{n} unit{n:s}"],
  refund: ["退款", "Refund"],
  refundSure: ["确定退款？", "Refund?"],
  refunding: ["退款中", "Refunding"],
  refunded: ["已退款", "Refunded"],
} as const satisfies Table;
