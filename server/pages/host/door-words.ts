/** Sentences about who may buy in a drop, and about orders that came oddly. */
import type { Table } from "../shared/words.ts";

export const DOOR_WORDS = {
  admission: ["入场方式", "Who may buy"],
  admissionOpen: ["所有人", "Everybody"],
  admissionOpenWhy: ["观众直接抢购。", "Viewers just buy."],
  admissionFlagged: ["可疑的先验证", "Check the suspicious"],
  admissionFlaggedWhy: [
    "照常抢购；行为异常的先让设备做一道计算题，通常不到一秒。",
    "Viewers just buy; a device that behaves oddly first solves a puzzle, mostly in under a second.",
  ],
  admissionToken: ["凭入场证", "With a pass"],
  admissionTokenWhy: [
    "页面会在开抢前自动领取入场证，限速发放，一证一次。",
    "Pages get a pass before the start by themselves; given out at a limited rate, each for one purchase.",
  ],
  admissionProof: ["入场证加计算题", "With a pass and a puzzle"],
  admissionProofWhy: [
    "领取入场证前，设备要在后台做一道计算题。观众无感，批量脚本会变慢变贵。",
    "Before its pass a device solves a puzzle in the background. Viewers do not notice; scripts in bulk get slow and costly.",
  ],

  flagged: ["可疑", "Flagged"],
  flagManyViewers: ["同一网络地址有很多人抢购", "Many people bought from the same network"],
  flagManyHolds: ["同一网络地址抢购次数很多", "Many tries from the same network"],
  flagInstant: ["开抢后快得不像人手", "Quicker after the opening than a hand can be"],
  flagNewViewer: ["开抢前几秒才进来", "Came in seconds before the opening"],
  flagInsistent: ["一分钟内多次被拒", "Refused again and again within a minute"],
} as const satisfies Table;
