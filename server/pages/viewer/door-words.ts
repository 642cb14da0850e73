/** Sentences at doors: of a full show, and of a drop that asks for a pass. */
import type { Table } from "../shared/words.ts";

export const DOOR_WORDS = {
  waitingTitle: ["直播间满员了", "The room is full"],
  waitingWhy: [
    "有人离开，门口的人就能进。请留在这一页，会自动进场，不用刷新。",
    "As people leave, those at the door come in. Stay on this page: it lets you in by itself, no need to reload.",
  ],
  waitingMany: ["大约 {n} 人在门口等候", "About {n} people at the door"],
  waitingAlone: ["门口只有你", "You are the only one at the door"],
  waitingAgain: ["{n} 秒后再试一次", "Next try in {n} s"],
  waitingNow: ["正在敲门…", "Knocking…"],

  passPreparing: ["正在为你准备入场…", "Getting you ready…"],
  passPreparingWhy: [
    "这一场需要先确认是真人在抢，稍等片刻，不用做任何事。",
    "This sale first makes sure that people are buying. It takes a moment; there is nothing you need to do.",
  ],
  passReady: ["已准备好，开抢即可下单", "You are ready to buy at the start"],
  refusedPass: ["入场确认没有通过", "You were not let through yet"],
  refusedPassWhy: [
    "这一场需要入场凭证，刚才没能为你办好。没有扣款，再试一次就会重新办理。",
    "This sale asks for a pass, and yours did not come through. You were not charged. Trying again gets a new one.",
  ],
} as const satisfies Table;
