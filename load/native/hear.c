/* What the crowd understands of a message: who is in, what is to be counted, and the answers of buyers. Opcodes: crowd.ts gives them. */
#define _GNU_SOURCE
#include "crowd.h"
#include <string.h>

/* From the wire's own table; see crowd.ts. */
enum { JOINED = OP_JOINED, FAILED = OP_FAILED, HOLD_ANSWERED = OP_HOLD_ANSWERED, ORDER_CHANGED = OP_ORDER_CHANGED };
enum { DROP_SOLD_OUT = OP_DROP_SOLD_OUT, HOLD = OP_HOLD, TAP = OP_TAP, MSGPACK_TRUE = 0xc3, MSGPACK_UINT8 = 0xcc };

enum dialect dialect_of(const char *name) {
  return !strcmp(name, "plain") ? PLAIN : !strcmp(name, "socketio") ? SOCKETIO : !strcmp(name, "centrifugo") ? CENTRIFUGO : DROPCAST;
}

static void answered(struct viewer *v, int *kind) {
  v->waits = 0;
  v->took = now_ns() - v->tapped_at;
  ++*kind;
  crowd.answers++;
}

/* The answer in so many words. After the log has answered, the same may still come; nothing else. */
static void hold_answered(struct viewer *v, uint8_t letter) {
  if (letter != 'h' && letter != 's') crowd.wrong = "another answer than held or sold out";
  else if (v->waits) answered(v, letter == 'h' ? &crowd.held : &crowd.sold_out);
  else if ((letter == 'h' && !v->knows_order) || !v->rides) crowd.wrong = "a buyer was answered twice";
}

/* An own order: it became one. */
static void ordered(struct viewer *v) {
  v->knows_order = 1;
  if (v->waits && v->rides) answered(v, &crowd.held);
}

static void sold_out(struct viewer *v, int answers_taps) {
  v->knows_sold_out = 1;
  if (!answers_taps || !v->waits || !v->rides || v->knows_order) return;
  crowd.rode++;
  answered(v, &crowd.sold_out);
}

/* Frames are arrays of less than 16 small fields: opcode, id and the first letter of the result are at fixed places. */
static void hear_dropcast(struct viewer *v, const uint8_t *at, size_t length) {
  if (length < 2) return;
  uint8_t opcode = at[1] == MSGPACK_UINT8 && length > 2 ? at[2] : at[1];
  crowd.by_opcode[opcode]++;
  if (opcode == HOLD_ANSWERED && length > 4) hold_answered(v, at[4]);
  else if (opcode == ORDER_CHANGED) ordered(v);
  else if (opcode == DROP_SOLD_OUT) sold_out(v, at[length - 1] == MSGPACK_TRUE);
  else if (opcode == JOINED) is_in(v);
  else if (opcode == FAILED) crowd.wrong = "a command failed";
}

static void hear_plain(struct viewer *v, const uint8_t *at, size_t length) {
  if (length > 1 && v->waits && (at[1] == HOLD || at[1] == TAP)) answered(v, &crowd.echoed);
}

/* Engine.IO 4 packets are one digit: 2 ping, 3 pong, 4 message; Socket.IO 5 in it: 0 connect, 2 event. */
static void hear_socketio(struct viewer *v, const uint8_t *at, size_t length) {
  static const uint8_t pong[] = {7, 0, 0x81, 0x81, 0, 0, 0, 0, '3'};
  crowd.frames--;
  if (at[0] == '2') say(v, pong);
  else if (length > 1 && at[0] == '4' && at[1] == '0') is_in(v);
  else if (length > 1 && at[0] == '4' && at[1] == '2') crowd.frames++;
}

/* Centrifugo's client protocol, JSON: one object per line, `{}` a ping, `{"push":…` an event. */
static void hear_centrifugo(struct viewer *v, const uint8_t *at, size_t length) {
  static const uint8_t pong[] = {8, 0, 0x81, 0x82, 0, 0, 0, 0, '{', '}'};
  const uint8_t *end = at + length;
  crowd.frames--;
  while (at < end) {
    const uint8_t *line_end = memchr(at, '\n', end - at);
    size_t line = (line_end ? line_end : end) - at;
    if (line == 2) say(v, pong);
    else if (line > 2 && at[2] == 'p') crowd.frames++;
    else if (memmem(at, line, "\"subscribe\":{", 13)) is_in(v);
    at += line + 1;
  }
}

void hear(struct viewer *v, const uint8_t *at, size_t length) {
  crowd.frames++;
  if (length == 0) return;
  if (crowd.dialect == DROPCAST) hear_dropcast(v, at, length);
  else if (crowd.dialect == PLAIN) hear_plain(v, at, length);
  else if (crowd.dialect == SOCKETIO) hear_socketio(v, at, length);
  else hear_centrifugo(v, at, length);
}
