/**
 * Child process of the rush bench: thousands of buyers on raw sockets who all tap at once. As lean as Node can be: frames are
 * packed before the tap, answers are looked at in place, taps go out between reads so that no answer waits for a tap. What it
 * cannot do is in the bench's rows: the same crowd against a server that only echoes.
 */
import { encodeUp, FRAMES, SUBPROTOCOLS } from "#wire";
import { framed, WireSocket } from "../../load/swarm/wire-socket.ts";

export type CrowdOrder =
  | {
      readonly join: {
        readonly url: string;
        readonly show: string;
        /** One per buyer; "" for a server that greets nobody. */
        readonly tokens: readonly string[];
      };
    }
  /** All tap for one unit, under keys that begin so. */
  | { readonly tap: { readonly dropId: string; readonly prefix: string } }
  | "leave";

export interface Tapped {
  readonly held: number;
  readonly soldOut: number;
  /** Echoes of a server that decides nothing. */
  readonly echoed: number;
  /** From the first tap to the last answer. */
  readonly tookMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Taps between two looks at what has come in. */
const TAPS_PER_TURN = 200;
const JOINING_AT_ONCE = 200;
const BUYERS_PER_ADDRESS = 2000;
const ANSWER_WITHIN_MS = 20_000;
const HELLO_WITHIN_MS = 60_000;
const ID = 1;
const BEAT_EVERY_MS = 25_000;

const { joined, holdAnswered, failed } = FRAMES;
const HELD = "h".charCodeAt(0);
const SOLD_OUT = "s".charCodeAt(0);

interface Buyer {
  readonly socket: WireSocket;
  tap: Uint8Array;
  tappedAtMs: number;
  isJoined: boolean;
}

const buyers: Buyer[] = [];
let latencies: number[] = [];
const answers = { held: 0, soldOut: 0, echoed: 0 };
let onAnswer: () => void = () => undefined;
let onJoined: () => void = () => undefined;
let wrong: string | undefined;

function answered(buyer: Buyer, kind: keyof typeof answers): void {
  answers[kind]++;
  latencies.push(performance.now() - buyer.tappedAtMs);
  buyer.tappedAtMs = 0;
  onAnswer();
}

/** Frames are arrays of less than 16 small fields: opcode, id and the first letter of the result are at fixed places. */
function heard(buyer: Buyer, bytes: Buffer, start: number): void {
  const opcode = bytes[start + 1];
  if (opcode === holdAnswered.opcode) {
    if (buyer.tappedAtMs === 0) wrong ??= "a buyer was answered twice";
    const letter = bytes[start + 4];
    if (letter === HELD) answered(buyer, "held");
    else if (letter === SOLD_OUT) answered(buyer, "soldOut");
    else wrong ??= `another answer: ${bytes.toString("latin1", start, start + 20)}`;
  } else if (opcode === failed.opcode) wrong ??= "a hold failed";
  else if (opcode === joined.opcode) {
    buyer.isJoined = true;
    onJoined();
  } else if (opcode === FRAMES.hold.opcode) answered(buyer, "echoed");
}

/** @throws when `check` has not come true in time, or something unlawful was heard */
function until(check: () => boolean, withinMs: number, set: (look: () => void) => void) {
  return new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("not everybody was answered")), withinMs);
    const look = (): void => {
      if (wrong === undefined && !check()) return;
      clearTimeout(late);
      if (wrong === undefined) resolve();
      else reject(new Error(wrong));
    };
    set(look);
    look();
  });
}

async function join({ url, show, tokens }: Extract<CrowdOrder, { join: object }>["join"]) {
  let arrived = 0;
  let next = 0;
  const enter = (): void => {
    const token = tokens[next];
    if (token === undefined) return;
    const index = next++;
    const buyer: Buyer = {
      tap: new Uint8Array(),
      tappedAtMs: 0,
      isJoined: token === "",
      socket: new WireSocket({
        url: new URL(url),
        protocol: token === "" ? "" : SUBPROTOCOLS[0],
        localAddress: `127.0.0.${2 + Math.floor(index / BUYERS_PER_ADDRESS)}`,
        onOpened() {
          const hello = { token, show, client: `buyer-${index}`, epoch: "", offset: 0 };
          if (token === "") onJoined();
          else buyer.socket.send(encodeUp("hello", hello));
        },
        onMessage: (bytes, start) => heard(buyer, bytes, start),
        onClosed: (code, reason) => (wrong ??= `a buyer was shut out: ${code} ${reason}`),
      }),
    };
    buyers.push(buyer);
  };
  const everybody = until(
    () => arrived === tokens.length,
    HELLO_WITHIN_MS,
    (look) => {
      onJoined = () => {
        arrived++;
        enter();
        look();
      };
    },
  );
  for (let i = 0; i < JOINING_AT_ONCE; i++) enter();
  await everybody;
  const beat = framed(encodeUp("beat", { offset: 0, tick: 0, clientAtMs: 0 }));
  if (tokens[0] !== "")
    setInterval(() => {
      for (const { socket } of buyers) socket.sendFramed(beat);
    }, BEAT_EVERY_MS);
}

async function tap(dropId: string, prefix: string): Promise<Tapped> {
  buyers.forEach((buyer, i) => {
    const key = `${prefix}-${i}-`.padEnd(22, "x");
    const body = { id: ID, key, dropId, quantity: 1, attempt: 0 };
    buyer.tap = framed(encodeUp("hold", body));
  });
  latencies = [];
  Object.assign(answers, { held: 0, soldOut: 0, echoed: 0 });
  const startedMs = performance.now();
  const all = until(
    () => latencies.length === buyers.length,
    ANSWER_WITHIN_MS,
    (look) => {
      onAnswer = () => {
        if (latencies.length === buyers.length) look();
      };
    },
  );
  let next = 0;
  const some = (): void => {
    const end = Math.min(next + TAPS_PER_TURN, buyers.length);
    for (; next < end; next++) {
      const buyer = buyers[next] as Buyer;
      buyer.tappedAtMs = performance.now();
      buyer.socket.sendFramed(buyer.tap);
    }
    if (next < buyers.length) setImmediate(some);
  };
  some();
  await all;
  const tookMs = performance.now() - startedMs;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { ...answers, tookMs, p50Ms: at(0.5), p99Ms: at(0.99) };
}

process.on("message", (message) => {
  const order = message as CrowdOrder;
  const work =
    order === "leave"
      ? Promise.resolve(buyers.forEach(({ socket }) => socket.drop()))
      : "join" in order
        ? join(order.join)
        : tap(order.tap.dropId, order.tap.prefix);
  work.then(
    (value) => process.send?.({ value }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
