/* What the crowd's two halves share: the sockets (crowd.c) and what is understood of what they hear (hear.c). */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum dialect { DROPCAST, PLAIN, SOCKETIO, CENTRIFUGO };

/* Framed messages of a file, each behind its length. */
struct frames {
  uint8_t *bytes, **of;
};

struct viewer {
  int fd;
  uint32_t rest_length;
  uint8_t *rest;
  /* Monotonic, ns; 0: waits for no answer. */
  uint64_t tapped_at, took;
  uint8_t is_upgraded, is_in, waits, rides, knows_sold_out, knows_order;
};

struct crowd {
  enum dialect dialect;
  struct viewer *viewers;
  int closes, held, sold_out, rode, echoed, answers;
  unsigned long long frames, by_opcode[256];
  /* What no server may do, once it has done it. */
  const char *wrong;
};

extern struct crowd crowd;

void say(struct viewer *v, const uint8_t *frame);
void is_in(struct viewer *v);
void hear(struct viewer *v, const uint8_t *at, size_t length);
enum dialect dialect_of(const char *name);

static inline uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ull + t.tv_nsec;
}
