/**
 * Why the server closes a socket, and what the client does next.
 * 4000–4099 final · 4100–4199 come back after the delay given in the reason (ms) · 4200–4299 resume at once.
 */
export const CLOSES = {
  notBinary: {
    code: 4000,
    says: "text frame on the msgpack subprotocol, or bytes on the JSON one",
  },
  undecodable: { code: 4001, says: "not msgpack, or not JSON" },
  notArray: { code: 4002, says: "a frame is an array" },
  unknownOpcode: { code: 4003, says: "no such opcode" },
  wrongWay: { code: 4004, says: "an opcode that only the server sends" },
  wrongArity: { code: 4005, says: "wrong number of fields" },
  badField: { code: 4006, says: "a field of the wrong type, range or length" },
  tooLong: { code: 4007, says: "a command over maxCommandBytes" },
  notGreeted: { code: 4008, says: "the first frame must be hello" },
  greetedTwice: { code: 4009, says: "a second hello" },
  badToken: { code: 4010, says: "the token is forged, damaged or expired" },
  wrongShow: { code: 4011, says: "the token is for another show" },
  noShow: { code: 4012, says: "no such show" },
  removed: { code: 4013, says: "removed by the host" },
  overloaded: { code: 4100, says: "too many viewers here for the moment" },
  tooFast: { code: 4101, says: "too many frames" },
  helloLate: { code: 4102, says: "no hello within helloWithinMs" },
  storeDown: { code: 4103, says: "the room cannot be read for the moment" },
  draining: { code: 4200, says: "this node is going away" },
  badTicket: {
    code: 4202,
    says: "the resume ticket is forged, damaged or expired: come back with a token",
  },
  tooSlow: { code: 4201, says: "the reader fell too far behind" },
} as const satisfies Record<string, { readonly code: number; readonly says: string }>;

export type CloseWord = keyof typeof CLOSES;

export type Comeback = "never" | "later" | "now";
/** What a close code means for the client. Codes of the network itself (1001, 1006 …) mean "resume". */
export const comebackAfter = (code: number): Comeback => {
  if (code >= 4000 && code < 4100) return "never";
  return code >= 4100 && code < 4200 ? "later" : "now";
};
