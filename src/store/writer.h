/* The thread that writes, and what waits for it.
 *
 * The loop's thread hands records in and is told through an async handle what has been committed. Tickets count the records:
 * who waits for "all so far" waits for the newest ticket. */
#ifndef JP_STORE_WRITER_H
#define JP_STORE_WRITER_H

#include "store/opening.h"
#include "store/store.h"

struct jp__reader;
struct jp__writer;

/* Takes the connection over, on success only. `start`: what the database held; `reader` stays until the writer has ended, and so does what
 * `place` points to. */
jp_status jp__writer_start(const struct jp_store_options *options, const struct jp__place *place, sqlite3 *db,
                           const struct jp_accounts_start *start, struct jp__reader *reader, struct jp__writer **ret_writer,
                           struct jp_error *error);

/* See jp_store_release. */
void jp__writer_release(struct jp__writer *writer);

void jp__writer_add_event(struct jp__writer *writer, const struct jp_event *event);
void jp__writer_add_audit(struct jp__writer *writer, const struct jp_audit_record *record);
void jp__writer_add_process(struct jp__writer *writer, const struct jp_process_record *record);
void jp__writer_add_pool(struct jp__writer *writer, const struct jp_pool_record *record);
void jp__writer_forget_pool(struct jp__writer *writer, const char *name);
void jp__writer_add_job(struct jp__writer *writer, const struct jp_job_record *record);
void jp__writer_forget_job(struct jp__writer *writer, const char *object_name);
void jp__writer_add_unobserved(struct jp__writer *writer, const struct jp_unobserved_record *record);
void jp__writer_add_reset(struct jp__writer *writer, const struct jp_reset_record *record);
void jp__writer_add_sample(struct jp__writer *writer, const struct jp_sample_record *record);
void jp__writer_set_keeper(struct jp__writer *writer, uint32_t pid, int64_t start_100ns);

/* The reader has met what cannot be in a sound file. */
void jp__writer_suspect_damage(struct jp__writer *writer);

/* Whether everything that was handed in is on the disk, as far as the loop's thread has heard. */
bool jp__writer_is_idle(const struct jp__writer *writer);

/* See struct jp_accounts_ops. The callback comes later, never from within. */
void jp__writer_when_durable(struct jp__writer *writer, jp_durable_fn *callback, void *context);
void jp__writer_state(struct jp__writer *writer, struct jp_accounts_state *ret_state);
void jp__writer_purge(struct jp__writer *writer, const struct jp_purge_filter *filter, jp_purged_fn *callback, void *context);
void jp__writer_set_retention(struct jp__writer *writer, const struct jp_retention *retention);

/* Ends as jp_store_close says; who waits is called before `callback`, and the writer is gone after it. */
void jp__writer_stop(struct jp__writer *writer, jp_store_closed_fn *callback, void *context);

#endif
