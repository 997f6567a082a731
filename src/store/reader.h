/* The thread that reads. */
#ifndef JP_STORE_READER_H
#define JP_STORE_READER_H

#include "store/query.h"
#include "store/writer.h"

struct jp__reader;

/* `busy_ms`: how long SQLite waits for somebody else's lock. */
jp_status jp__reader_start(uv_loop_t *loop, const char *file, int busy_ms, struct jp__reader **ret_reader, struct jp_error *error);

/* Answers `query`, which it takes over, once the writer has committed what was recorded before it. */
void jp__reader_ask(struct jp__reader *reader, struct jp__writer *writer, struct jp__query *query);

/* The same for a report or a series, which is given the rest of the time a step at a time. Returns its number. */
uint64_t jp__reader_ask_report(struct jp__reader *reader, struct jp__writer *writer, struct jp__query *query);

/* Its answer is JP_E_CANCELLED, and comes soon, unless it has come. */
void jp__reader_cancel_report(struct jp__reader *reader, uint64_t number);

/* Closes the reader's connection, breaking off what it reads, and lets it open none; returns when that is so. On the writer's thread, which
 * the reader's never waits for. What is asked meanwhile is answered after jp__reader_let_go. */
void jp__reader_hold(struct jp__reader *reader);
void jp__reader_let_go(struct jp__reader *reader);

/* Ends the thread and its connection, at once: what is asked gets JP_E_STOPPING. Queries that wait for the writer do so when
 * it calls them; so the reader itself stays until jp__reader_free, after the writer's end. */
void jp__reader_stop(struct jp__reader *reader, void (*callback)(void *context), void *context);
void jp__reader_free(struct jp__reader *reader);

#endif
