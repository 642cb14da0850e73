/** What bare viewers make of other servers' messages: events are counted once each, however they are joined; pings are answered. */
import { expect, test } from "vitest";
import { DIALECTS, type DialectName, IN } from "../../load/swarm/dialects.ts";

function hearing(name: DialectName, message: string): readonly [heard: number, said: string[]] {
  // Messages lie somewhere in a larger buffer, with older bytes after them.
  const bytes = Buffer.from(`xx${message}\n{"push":{}}`);
  const said: string[] = [];
  const end = 2 + Buffer.byteLength(message);
  return [DIALECTS[name].hear(bytes, 2, end, (text) => said.push(text)), said];
}

test("[BENCH7] a bare viewer counts each of another server's events once and answers its pings", () => {
  expect(hearing("plain", "anything")).toEqual([1, []]);

  expect(hearing("socketio", '0{"sid":"a","pingInterval":25000}')).toEqual([0, []]);
  expect(hearing("socketio", '40{"sid":"b"}')).toEqual([IN, []]);
  expect(hearing("socketio", '42["event","xxx"]')).toEqual([1, []]);
  expect(hearing("socketio", "2")).toEqual([0, ["3"]]);

  const push = '{"push":{"channel":"all","pub":{"data":"xx"}}}';
  expect(hearing("centrifugo", '{"id":1,"connect":{"client":"a"}}')).toEqual([0, []]);
  expect(hearing("centrifugo", '{"id":1,"connect":{}}\n{"id":2,"subscribe":{}}')).toEqual([IN, []]);
  expect(hearing("centrifugo", '{"id":2,"error":{"code":103}}')).toEqual([0, []]);
  expect(hearing("centrifugo", `${push}\n${push}`)).toEqual([2, []]);
  expect(hearing("centrifugo", `${push}\n{}`)).toEqual([1, ["{}"]]);
});
