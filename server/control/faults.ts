/**
 * Every refusal of the HTTP API, once: its status and its words, in English and Chinese. The shape of an answer is
 * `{error: {code, message, messageZh, field?, reason?}}`; codes are stable. `{name}` in a message is filled in.
 */
const FAULTS = {
  wrongBody: [400, "{field}: {reason}.", "{field}：{reasonZh}。"],
  badJson: [400, "The body cannot be read: {reason}.", "无法读取请求正文：{reason}。"],
  badCsv: [
    400,
    "Nothing was imported: {count} lines are wrong. Correct them and send the file again.",
    "未导入任何商品：有 {count} 处错误，请修正后重新上传。",
  ],
  noToken: [
    401,
    "This needs a key: send “authorization: Bearer …” with the admin key or a token of this show.",
    "此操作需要密钥：请在 authorization 中以 Bearer 方式提供管理密钥或本场次的令牌。",
  ],
  badToken: [
    401,
    "The token is wrong or has expired: get a new one.",
    "令牌有误或已过期，请重新获取。",
  ],
  notAllowed: [
    403,
    "Your role may not do this. It takes: {roles}.",
    "您的角色无权进行此操作，需要：{roles}。",
  ],
  noPath: [
    404,
    "There is nothing at {path}. The calls are listed at /docs.",
    "{path} 不存在，接口列表见 /docs。",
  ],
  noShow: [404, "There is no show {show}.", "没有场次 {show}。"],
  noProduct: [404, "The show has no product {sku}.", "本场次没有商品 {sku}。"],
  noDrop: [404, "The show has no drop {dropId}.", "本场次没有限时抢购 {dropId}。"],
  noComment: [404, "There is no comment {no} yet.", "没有第 {no} 条评论。"],
  noOrder: [404, "The show has no order {orderId}.", "本场次没有订单 {orderId}。"],
  noCheckout: [
    404,
    "There is nothing to pay here: tap pay first, or it is paid by now.",
    "没有待支付的页面：请先点击支付，或订单已支付。",
  ],
  noProvider: [
    404,
    "Payments do not come from {provider} here.",
    "本系统未启用支付渠道 {provider}。",
  ],
  noWebhook: [404, "There is no webhook {id}.", "没有回调 {id}。"],
  noEvent: [
    404,
    "There is no such event, or it is older than seven days.",
    "没有该事件，或已超过七天保存期。",
  ],
  badSignature: [
    400,
    "The signature is wrong or too old: check the secret and the clock.",
    "签名有误或已过期，请检查密钥与时钟。",
  ],
  webhooksFull: [
    409,
    "There are {most} webhooks already: remove one first.",
    "回调已达 {most} 个上限，请先删除。",
  ],
  commentGone: [
    404,
    "Comment {no} cannot be pinned: it is deleted, or too old.",
    "第 {no} 条评论无法置顶：已被删除或时间过久。",
  ],
  showExists: [
    409,
    "There is a show {show} already: choose another id.",
    "场次 {show} 已存在，请换一个编号。",
  ],
  productExists: [
    409,
    "There is a product {sku} already: use PUT to change it.",
    "商品 {sku} 已存在，修改请用 PUT。",
  ],
  dropExists: [
    409,
    "There is a drop {dropId} already: choose another dropId.",
    "限时抢购 {dropId} 已存在，请换一个编号。",
  ],
  shortStock: [
    409,
    "The product has {units} units that no drop has: allot at most so many, or raise its stock.",
    "该商品可分配库存只有 {units} 件：请减少数量，或先增加库存。",
  ],
  notRehearsal: [
    409,
    "The show is live: durability memory is for rehearsals, before the show starts. Choose disk or replica.",
    "场次已开播：memory 仅用于开播前的彩排，请选择 disk 或 replica。",
  ],
  rehearsing: [
    409,
    "A rehearsal drop (durability memory) is still open: close it, then start the show.",
    "仍有彩排用的限时抢购（memory）未结束：请先关闭，再开播。",
  ],
  noReplicas: [
    409,
    "Redis has {count} replicas, durability replica needs {needed}: attach them, or choose disk.",
    "Redis 目前有 {count} 个副本，replica 需要 {needed} 个：请先接入副本，或选择 disk。",
  ],
  dropOver: [
    409,
    "The drop {dropId} is over: make a new one.",
    "限时抢购 {dropId} 已结束，请新建一个。",
  ],
  noDraw: [
    404,
    "The drop {dropId} has no draw, or it has not taken place yet.",
    "限时抢购 {dropId} 没有抽签，或尚未抽签。",
  ],
  couponExists: [
    409,
    "There is a coupon {couponId} already: choose another couponId.",
    "优惠券 {couponId} 已存在，请换一个编号。",
  ],
  notLive: [409, "The show has not started: start it first.", "场次尚未开始，请先开播。"],
  showEnded: [
    409,
    "The show has ended and does not come back: make a new one.",
    "场次已结束，不能恢复，请新建场次。",
  ],
  bagFull: [409, "A show has room for {most} products.", "每个场次最多 {most} 个商品。"],
  viewerIdTaken: [
    409,
    "Somebody has a token for the viewer id {viewerId} already: leave it out to be given a new one, or send the token you have.",
    "观众编号 {viewerId} 已被使用：不填即可获得新编号，或请附上您已有的令牌。",
  ],
  tooLarge: [413, "The body is too large.", "请求正文过大。"],
  wrongType: [
    415,
    "This content type is not understood here: send {types}.",
    "不支持的内容类型，请使用 {types}。",
  ],
  tooFast: [
    429,
    "Too many people are joining from your network: try again in {seconds} s.",
    "同一网络进入人数过多，请 {seconds} 秒后重试。",
  ],
  bug: [500, "Something is wrong on our side. It has been noted.", "服务器出现问题，我们已记录。"],
  redisDown: [
    503,
    "The store cannot be reached: nothing is lost, try again shortly.",
    "数据服务暂不可用：数据不会丢失，请稍后重试。",
  ],
  notReady: [503, "Not ready: {missing}.", "尚未就绪：{missing}。"],
  noPages: [
    503,
    "The pages have not been built: start with “npm start”.",
    "页面尚未构建，请使用 npm start 启动。",
  ],
} as const satisfies Record<string, readonly [status: number, en: string, zh: string]>;

export type FaultCode = keyof typeof FAULTS;

export interface FaultDetail {
  /** Path of the wrong field in the body, query or path. */
  readonly field?: string;
  readonly reason?: string;
  readonly reasonZh?: string;
  readonly [value: string]: string | number | undefined;
}

export interface FaultBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly messageZh: string;
    readonly field?: string;
    readonly reason?: string;
    readonly problems?: readonly LineProblem[];
  };
}

/** A wrong line of an imported file. */
export interface LineProblem {
  readonly line: number;
  readonly field: string;
  readonly reason: string;
}

/** Thrown by a resource to refuse; the error handler turns it into an answer. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  /** When to try again, where we know. */
  readonly retryAfterSeconds?: number;
  readonly body: FaultBody;
  constructor(code: FaultCode, detail: FaultDetail = {}, problems?: readonly LineProblem[]) {
    const [status, en, zh] = FAULTS[code];
    const values = { reasonZh: detail.reason, ...detail };
    const message = filled(en, values);
    super(message);
    this.status = status;
    if (typeof detail["seconds"] === "number") this.retryAfterSeconds = detail["seconds"];
    this.body = {
      error: {
        code,
        message,
        messageZh: filled(zh, values),
        ...(detail.field === undefined ? {} : { field: detail.field }),
        ...(detail.reason === undefined ? {} : { reason: detail.reason }),
        ...(problems === undefined ? {} : { problems }),
      },
    };
  }
}

const filled = (
  text: string,
  values: Readonly<Record<string, string | number | undefined>>,
): string => text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
