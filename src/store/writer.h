/* The thread that writes, and what waits for it.
 *
 * The loop's thread hands records in and is told through an async handle what has been committed. Tickets count the records:
 * who waits for "all so far" waits for the newest ticket. */
#ifndef JP_STORE_WRITER_H
#define JP_STORE_WRITER_H

#include "store/store.h"

#include <sqlite3.h>

struct jp__writer;

/* Takes the connection over, on success only. Events up to `last_seq` are in the database. */
jp_status jp__writer_start(const struct jp_store_options *options, sqlite3 *db, uint64_t last_seq,
                           struct jp__writer **ret_writer, struct jp_error *error);

void jp__writer_add_event(struct jp__writer *writer, const struct jp_event *event);
void jp__writer_add_process(struct jp__writer *writer, const struct jp_process_record *record);
void jp__writer_add_pool(struct jp__writer *writer, const struct jp_pool_record *record);
void jp__writer_forget_pool(struct jp__writer *writer, const char *name);

/* Whether everything that was handed in is on the disk, as far as the loop's thread has heard. */
bool jp__writer_is_idle(const struct jp__writer *writer);

/* See struct jp_accounts_ops. The callback comes later, never from within. */
void jp__writer_when_durable(struct jp__writer *writer, jp_durable_fn *callback, void *context);
void jp__writer_state(struct jp__writer *writer, struct jp_accounts_state *ret_state);

/* Ends as jp_store_close says; who waits is called before `callback`, and the writer is gone after it. */
void jp__writer_stop(struct jp__writer *writer, jp_store_closed_fn *callback, void *context);

#endif
