/**
 * How a bare viewer speaks to a server that is not ours, as far as a control row needs it: getting in, answering pings, and
 * counting events. `plain`: nothing is said, and every message is an event.
 */

export type DialectName = "plain" | "socketio" | "centrifugo";

export interface Dialect {
  /** Being connected is being in. */
  readonly isInAtOnce: boolean;
  /** Said first; "": nothing. */
  readonly greeting: string;
  /** Reads one message. @param say answers it @returns how many events it holds, or `IN`: the viewer is in now */
  hear(bytes: Buffer, start: number, end: number, say: (text: string) => void): number;
}

export const IN = -1;

/** Engine.IO 4 packets are one digit: 0 open, 2 ping, 3 pong, 4 message; Socket.IO 5 in it: 0 connect, 2 event. */
const [OPEN, PING, MESSAGE] = Array.from("024", (digit) => digit.charCodeAt(0));
const CONNECT = OPEN;
const EVENT = PING;
const SUBSCRIBED = Buffer.from('"subscribe":{');
const NEW_LINE = 0x0a;
const EMPTY_OBJECT = 2;
/** Of `{"push":…`; answers begin with their id. */
const PUSH = "p".charCodeAt(0);

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  plain: { isInAtOnce: true, greeting: "", hear: () => 1 },
  /** Source: the Engine.IO and Socket.IO protocol documents, revisions 4 and 5. URL: `/socket.io/?EIO=4&transport=websocket`. */
  socketio: {
    isInAtOnce: false,
    greeting: "40",
    hear(bytes, start, _end, say) {
      const packet = bytes[start];
      if (packet === PING) say("3");
      if (packet !== MESSAGE) return 0;
      const type = bytes[start + 1];
      if (type === CONNECT) return IN;
      return type === EVENT ? 1 : 0;
    },
  },
  /** Source: Centrifugo's client protocol, JSON: one object per line, `{}` a ping. URL: `/connection/websocket`. */
  centrifugo: {
    isInAtOnce: false,
    greeting: '{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"all"}}',
    hear(bytes, start, end, say) {
      let events = 0;
      for (let at = start; at < end;) {
        let lineEnd = at;
        while (lineEnd < end && bytes[lineEnd] !== NEW_LINE) lineEnd++;
        if (lineEnd - at === EMPTY_OBJECT) say("{}");
        else if (bytes[at + 2] === PUSH) events++;
        else if (bytes.subarray(at, lineEnd).includes(SUBSCRIBED)) return IN;
        at = lineEnd + 1;
      }
      return events;
    },
  },
};
