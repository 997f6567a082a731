/* A server that a program plays itself, line by line, and the client library on it: what the server hears, and what the client is told. */
#ifndef JP_TESTS_LIBRARY_SERVER_H
#define JP_TESTS_LIBRARY_SERVER_H

#include "tap.h"

#include "base/str.h"
#include "jobpool/client.h"

#include <windows.h>

/* --- the server --- */

extern HANDLE server;      /* its end of the pipe */
extern HANDLE transferred; /* the event of what is said and heard */

void play_server(void); /* first of all */
void listen_again(void);
bool let_in(void);
bool say(const char *text);
bool say_in(const char *text, size_t length, DWORD patience_ms);
const char *hear(void); /* the next line that the client sent; "" if none comes. Good until the next. */
unsigned long long id_in(const char *line);
void answer(unsigned long long id, const char *rest);
void hang_up(void); /* without flushing: what the client did not read is lost */

/* --- the client, and what it was told --- */

extern struct jp_client *client;

bool begin_with(uint32_t reconnect_ms); /* connected, and nothing told yet */
void end_all(void);
uint64_t start(const char *name, const char *params, uint32_t timeout_ms, bool progress); /* a call */
uint64_t subscribe(const char *params);

void tell(const char *format, ...) JP_PRINTF(1, 2);
void on_answer(void *context, uint64_t call, const struct jp_client_answer *given); /* tells of it; the context is its name */
void on_progress(void *context, uint64_t call, const char *value);
void on_event(void *context, uint64_t seq, const char *event);

/* Whether a text comes, with `next` as the very next; then what was told up to the end of its line is forgotten. */
bool is_told(const char *text, bool next);
bool was_told(const char *text);
bool has_been_told(const char *text); /* by now; nothing is forgotten */
bool nothing_told(void);              /* since */

#endif
