/*
 * Thousands of WebSocket clients in one thread, for benches: what a client costs in Node would be taken for the server's limit, since
 * both share a machine of few cores. Knows of the wire only what it must count; everything it says was packed by crowd.ts, which starts
 * it and reads its answers. Guarantees: whole messages in order; a tap is answered once, or the run fails. Leaves out what wire-socket.ts
 * leaves out. One system call per frame sent and per socket read, no allocation but for a message that comes in pieces.
 *
 *   crowd PORT PATH PROTOCOL DIALECT GREETINGS COUNT      commands on stdin, one JSON object per line on stdout
 *     tap FILE DROP  every socket sends its frame of FILE; the line comes when all are answered
 *     beat FILE   what every socket says about every 20 s from now on
 *     spin 0|1    whether to poll without sleeping, so that nobody has to wake this process
 *     count       what has come so far
 * Files: COUNT times (2 bytes of length, little-endian, then a framed message); of taps two each: see `say_tap`.
 */
#define _GNU_SOURCE
#include "crowd.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PER_ADDRESS = 2000, OPENING_AT_ONCE = 200, TAPS_PER_TURN = 64, EVENTS = 512, READ_BYTES = 256 * 1024 };
#define BEAT_NS 20000000000ull
#define ANSWER_NS 20000000000ull

struct crowd crowd;
static int epoll, count, opened, next_to_open, spinning;
static uint16_t port;
static char upgrade[1024];
static uint8_t buffer[READ_BYTES];
static struct frames greetings, taps, beats;
static uint64_t beat_at, tap_started, *latencies;
static int tapping, next_tap;

static void die(const char *why) {
  printf("{\"error\":\"%s (%s)\"}\n", why, strerror(errno));
  fflush(stdout);
  exit(1);
}

static struct frames frames_of(const char *file, int n) {
  FILE *in = fopen(file, "rb");
  if (!in) die("a file cannot be read");
  fseek(in, 0, SEEK_END);
  long size = ftell(in);
  rewind(in);
  struct frames f = {malloc(size + 1), malloc(sizeof(uint8_t *) * n)};
  if (fread(f.bytes, 1, size, in) != (size_t)size) die("a file is cut short");
  fclose(in);
  uint8_t *at = f.bytes;
  for (int i = 0; i < n; i++) {
    f.of[i] = at;
    at += 2 + (at[0] | at[1] << 8);
  }
  return f;
}

static void forget(struct frames *f) {
  free(f->bytes);
  free(f->of);
  f->bytes = NULL;
}

static void send_all(struct viewer *v, const void *bytes, size_t length) {
  if (length > 0 && send(v->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) crowd.closes++;
}

void say(struct viewer *v, const uint8_t *frame) { send_all(v, frame + 2, frame[0] | frame[1] << 8); }

static void open_one(void) {
  struct viewer *v = &crowd.viewers[next_to_open];
  struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
  from.sin_addr.s_addr = htonl(0x7f000002u + next_to_open / PER_ADDRESS);
  to.sin_addr.s_addr = htonl(0x7f000001u);
  int one = 1;
  v->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (v->fd < 0) die("no socket");
  setsockopt(v->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &one, sizeof one);
  setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  /* A reset at the end: a polite one would keep the port for a minute. */
  struct linger at_once = {1, 0};
  setsockopt(v->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  if (bind(v->fd, (struct sockaddr *)&from, sizeof from) < 0) die("no port");
  if (connect(v->fd, (struct sockaddr *)&to, sizeof to) < 0) die("not let in");
  fcntl(v->fd, F_SETFL, O_NONBLOCK);
  send_all(v, upgrade, strlen(upgrade));
  struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = next_to_open++};
  epoll_ctl(epoll, EPOLL_CTL_ADD, v->fd, &wanted);
}

void is_in(struct viewer *v) {
  if (v->is_in) return;
  v->is_in = 1;
  opened++;
  if (next_to_open < count) open_one();
  if (opened == count) {
    printf("{\"joined\":%d}\n", opened);
    fflush(stdout);
  }
}

/* One message after the other. Returns what is not whole yet. */
static size_t messages(struct viewer *v, const uint8_t *at, size_t left) {
  while (left >= 2) {
    size_t length = at[1] & 127, head = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (left < head) break;
    if (length == 126) length = at[2] << 8 | at[3];
    else if (length == 127) length = (size_t)at[6] << 24 | at[7] << 16 | at[8] << 8 | at[9];
    if (left < head + length) break;
    int kind = at[0] & 15;
    if (kind == 1 || kind == 2) hear(v, at + head, length);
    else if (kind == 8) crowd.closes++;
    at += head + length;
    left -= head + length;
  }
  return left;
}

static void read_one(struct viewer *v) {
  if (v->rest_length > 0) memcpy(buffer, v->rest, v->rest_length);
  ssize_t got = recv(v->fd, buffer + v->rest_length, READ_BYTES - v->rest_length, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    crowd.closes++;
    close(v->fd);
    return;
  }
  size_t have = v->rest_length + got;
  const uint8_t *at = buffer;
  v->rest_length = 0;
  if (!v->is_upgraded) {
    const uint8_t *end = memmem(buffer, have, "\r\n\r\n", 4);
    if (!end || memcmp(buffer, "HTTP/1.1 101", 12)) die("not upgraded");
    v->is_upgraded = 1;
    at = end + 4;
    if (greetings.bytes) say(v, greetings.of[v - crowd.viewers]);
    if (crowd.dialect == PLAIN) is_in(v);
  }
  size_t left = messages(v, at, have - (at - buffer));
  if (left == 0) return;
  v->rest = realloc(v->rest, left);
  memcpy(v->rest, buffer + have - left, left);
  v->rest_length = left;
}

/* Who has been told that the drop is sold out, before it tapped, asks in so many words; the others let the event answer. */
static void say_tap(struct viewer *v, const uint8_t *two) {
  v->rides = !v->knows_sold_out && (two[0] | two[1] << 8) > 0;
  if (!v->rides) two += 2 + (two[0] | two[1] << 8);
  v->waits = 1;
  v->tapped_at = now_ns();
  say(v, two);
}

static int by_size(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static void start_tap(char *file, char *drop) {
  static char last[64];
  taps = frames_of(file, count * 2);
  crowd.held = crowd.sold_out = crowd.rode = crowd.echoed = crowd.answers = 0;
  if (strcmp(last, drop))
    for (int i = 0; i < count; i++) crowd.viewers[i].knows_sold_out = crowd.viewers[i].knows_order = 0;
  strncpy(last, drop, sizeof last - 1);
  next_tap = 0;
  tapping = 1;
  tap_started = now_ns();
}

static void go_on_tapping(void) {
  for (int n = 0; n < TAPS_PER_TURN && next_tap < count; n++, next_tap++)
    say_tap(&crowd.viewers[next_tap], taps.of[next_tap * 2]);
  if (crowd.answers < count && now_ns() - tap_started < ANSWER_NS && !crowd.wrong) return;
  tapping = 0;
  forget(&taps);
  if (!crowd.wrong && crowd.answers < count) crowd.wrong = "not everybody was answered";
  double took = 0;
  for (int i = 0; i < count; i++) {
    latencies[i] = crowd.viewers[i].took;
    double end = (crowd.viewers[i].tapped_at + latencies[i] - tap_started) / 1e6;
    if (end > took) took = end;
    crowd.viewers[i].waits = 0;
  }
  qsort(latencies, count, sizeof *latencies, by_size);
  if (crowd.wrong) printf("{\"error\":\"%s\"}\n", crowd.wrong);
  else
    printf("{\"held\":%d,\"soldOut\":%d,\"rode\":%d,\"echoed\":%d,\"tookMs\":%.3f,\"p50Ms\":%.3f,\"p99Ms\":%.3f}\n",
           crowd.held, crowd.sold_out, crowd.rode, crowd.echoed, took, latencies[count / 2] / 1e6,
           latencies[(int)(count * 0.99)] / 1e6);
  fflush(stdout);
}

static void print_counts(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("{\"frames\":%llu,\"closes\":%d,\"cpuSeconds\":%.6f,\"wrong\":\"%s\",\"byOpcode\":{", crowd.frames,
         crowd.closes, cpu, crowd.wrong ? crowd.wrong : "");
  for (int op = 0, first = 1; op < 256; op++)
    if (crowd.by_opcode[op] > 0) printf("%s\"%d\":%llu", first ? "" : ",", op, crowd.by_opcode[op]), first = 0;
  printf("}}\n");
  fflush(stdout);
}

static void obey(char *line) {
  char *word = strtok(line, " \n"), *rest = strtok(NULL, " \n"), *more = strtok(NULL, " \n");
  if (!word) return;
  if (!strcmp(word, "tap")) start_tap(rest, more);
  else if (!strcmp(word, "beat")) beats = frames_of(rest, count), beat_at = now_ns() + BEAT_NS;
  else if (!strcmp(word, "spin")) spinning = atoi(rest);
  else if (!strcmp(word, "count")) print_counts();
}

/* Commands come whole: they are short, and one is not sent before the one before it was answered. */
static void listen_to_parent(void) {
  static char text[4096];
  ssize_t got = read(0, text, sizeof text - 1);
  if (got <= 0) exit(0);
  text[got] = 0;
  char *save, *line = strtok_r(text, "\n", &save);
  for (; line; line = strtok_r(NULL, "\n", &save)) obey(line);
}

int main(int argc, char **argv) {
  if (argc != 7) die("PORT PATH PROTOCOL DIALECT GREETINGS COUNT");
  port = atoi(argv[1]);
  crowd.dialect = dialect_of(argv[4]);
  count = atoi(argv[6]);
  if (*argv[5]) greetings = frames_of(argv[5], count);
  snprintf(upgrade, sizeof upgrade,
           "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
           argv[2], port, *argv[3] ? "Sec-WebSocket-Protocol: " : "", argv[3], *argv[3] ? "\r\n" : "");
  crowd.viewers = calloc(count, sizeof *crowd.viewers);
  latencies = calloc(count, sizeof *latencies);
  epoll = epoll_create1(0);
  struct epoll_event parent = {.events = EPOLLIN, .data.u32 = UINT32_MAX}, events[EVENTS];
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &parent);
  for (int i = 0; i < OPENING_AT_ONCE && i < count; i++) open_one();
  for (;;) {
    if (tapping) go_on_tapping();
    /* Nor does the server pay for waking us while it answers. */
    int busy = spinning || tapping;
    int n = epoll_wait(epoll, events, EVENTS, busy ? 0 : 1000);
    for (int i = 0; i < n; i++) {
      if (events[i].data.u32 == UINT32_MAX) listen_to_parent();
      else read_one(&crowd.viewers[events[i].data.u32]);
    }
    if (beats.bytes && !tapping && now_ns() > beat_at) {
      for (int i = 0; i < count; i++) say(&crowd.viewers[i], beats.of[i]);
      beat_at = now_ns() + BEAT_NS;
    }
  }
}
