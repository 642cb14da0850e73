/** The host console's rows of the table of sentences: short enough to read with a camera in front of one. */
import { CHANGE_WORDS } from "./change-words.ts";
import { DOOR_WORDS } from "./door-words.ts";
import { COMMON, speak, type Table } from "../shared/words.ts";

const HOST = {
  keyTitle: ["主播台", "Host console"],
  opening: ["正在打开主播台…", "Opening the console…"],
  noShow: ["没有这场直播：{show}", "There is no show {show}"],
  lost: [
    "这一页的令牌已失效，请重新输入密钥。",
    "This page's token is no longer valid. Enter the key again.",
  ],

  console: ["主播台", "Console"],
  elapsed: ["已播 {clock}", "{clock} on air"],
  viewerLink: ["复制观众链接", "Copy viewer link"],
  linkCopied: ["已复制", "Copied"],
  endShow: ["结束本场", "End show"],
  endSure: ["确定结束？不能恢复", "End for good?"],
  startShow: ["开始本场", "Start show"],
  tabSafe: [
    "关掉这一页不影响抢购；摄像头画面会停。",
    "Closing this tab does not touch the sale; only your camera stops.",
  ],
  away: [
    "网络断开，正在重连。抢购由服务器照常执行。",
    "Connection lost, reconnecting. The server carries the sale on.",
  ],

  preview: ["画面", "Picture"],
  whatViewersSee: ["观众看到的画面", "What viewers see"],
  yourCamera: ["你的摄像头", "Your camera"],
  onAirNow: ["你正在直播", "You are on air"],
  noPicture: ["还没有画面", "No picture yet"],
  goLive: ["开播", "Go live"],
  goingLive: ["正在开播…", "Going live…"],
  stopLive: ["停止我的画面", "Stop my camera"],
  stopSure: ["确定停止？", "Stop now?"],
  tryCamera: ["试一下摄像头", "Check the camera"],
  camera: ["摄像头", "Camera"],
  microphone: ["麦克风", "Microphone"],
  defaultDevice: ["默认", "Default"],
  level: ["音量", "Sound level"],
  cameraDenied: [
    "浏览器没有允许使用摄像头和麦克风。请在地址栏旁允许后再试。",
    "The browser did not allow camera and microphone. Allow them beside the address bar, then try again.",
  ],
  cameraMissing: [
    "没有找到摄像头或麦克风。请接好后再试。",
    "No camera or microphone was found. Plug one in and try again.",
  ],
  cameraBusy: [
    "摄像头正被别的程序使用。请关闭那个程序后再试。",
    "Another program is using the camera. Close it and try again.",
  ],
  cameraInsecure: [
    "浏览器只在 https 或 localhost 下开放摄像头。",
    "Browsers open the camera only on https or localhost.",
  ],
  publishFailed: [
    "没能开播，画面没有送出。请再试一次。",
    "Could not go live; no picture went out. Please try again.",
  ],

  products: ["商品", "Products"],
  noProducts: [
    "还没有商品。用接口或 CSV 导入后会出现在这里。",
    "No products yet. They appear here once added by the API or a CSV import.",
  ],
  stockLeft: ["可分配 {n} 件", "{n} to allot"],
  pin: ["讲解", "Pin"],
  unpin: ["讲解中", "Pinned"],
  prepareDrop: ["去开抢", "Set up drop"],

  dropNow: ["抢购", "Drop"],
  noDrop: ["现在没有抢购。在下面安排一场。", "No drop running. Set one up below."],
  announced: ["即将开抢", "Announced"],
  open: ["抢购中", "Open"],
  soldOut: ["已售罄", "Sold out"],
  closed: ["已结束", "Closed"],
  voided: ["已作废", "Annulled"],
  startsIn: ["距开抢", "Starts in"],
  endsIn: ["距结束", "Ends in"],
  held: ["保留", "Held"],
  paid: ["已付", "Paid"],
  left: ["剩余", "Left"],
  closeDrop: ["提前结束", "End early"],
  closeSure: ["确定结束抢购？", "End this drop?"],

  newDrop: ["安排一场抢购", "New drop"],
  product: ["商品", "Product"],
  price: ["抢购价", "Price"],
  units: ["件数", "Units"],
  limit: ["每人限购", "Limit each"],
  holdSeconds: ["保留时间", "Hold"],
  startsAfter: ["几秒后开抢", "Starts in"],
  lastsFor: ["持续", "Lasts"],
  unitPieces: ["件", "units"],
  unitSeconds: ["秒", "s"],
  unitMinutes: ["分钟", "min"],
  startDrop: ["发布抢购", "Start drop"],
  startingDrop: ["正在发布…", "Starting…"],
  dropStarted: ["已发布，观众已看到倒计时", "Announced: viewers see the countdown"],
  needNumber: ["请填数字", "A number, please"],

  comments: ["评论", "Comments"],
  commentHint: ["以主播身份说…", "Say something as host…"],
  send: ["发送", "Send"],
  noComments: ["还没有评论", "No comments yet"],
  mute: ["禁言", "Mute"],
  muteWhy: ["禁言 10 分钟（M）", "Mute for 10 minutes (M)"],
  unmute: ["解除禁言", "Unmute"],
  muted: ["已禁言", "Muted"],
  remove: ["删除", "Delete"],
  removeSure: ["确定删除？", "Delete?"],
  keysHint: ["↑↓ 选择，P 置顶，M 禁言，D 删除", "↑↓ select, P pin, M mute, D delete"],

  gmv: ["成交额", "GMV"],
  orders: ["订单", "Orders"],
  conversion: ["转化率", "Conversion"],
  conversionWhy: ["买家数 ÷ 同时在看的最高人数", "Buyers ÷ most people watching at once"],
  likes: ["点赞", "Likes"],
  shares: ["分享", "Shares"],
  sellThrough: ["售罄率", "Sell-through"],
  sellThroughWhy: ["已付件数 ÷ 本场投放件数", "Units paid ÷ units put on sale"],
} as const satisfies Table;

export const say = speak({ ...COMMON, ...HOST, ...CHANGE_WORDS, ...DOOR_WORDS });
