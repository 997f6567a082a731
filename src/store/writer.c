/* Owns the backlog, the write connection and the thread between them. */
#include "store/writer.h"

#include "base/str.h"
#include "store/connection.h"
#include "store/database.h"
#include "store/upkeep.h"

#include <stdio.h>
#include <string.h>

enum {
    EAGER = 256, /* so many records, and the thread is woken in the midst of a turn of the loop */
    RETRY_FIRST_MS = 250,
    RETRY_LAST_MS = 5000,
    AUDIT_SHARE = 4, /* of the backlog's bound, beyond it: only for the audit trail */
    SAMPLE_SHARE = 2, /* of the backlog's bound: beyond it no samples are kept any more */
};

struct waiter {
    struct waiter *next;
    uint64_t ticket;
    jp_durable_fn *callback;
    void *context;
};

/* Of the database, as of the last commit. */
struct figures {
    uint64_t first_seq, file_bytes, wal_bytes;
    int64_t last_purge_100ns;
};

/* What the thread has to tell. */
struct news {
    uint64_t committed_ticket;
    uint64_t committed_seq;
    bool degraded;
    char reason[256];
    unsigned renewals; /* how many databases have begun in the place of another */
    char *kept_as;     /* of the last of these */
    struct figures figures;
    bool ended;
    uint64_t lost;
};

struct jp__writer {
    /* the loop's thread only */
    struct jp_store_options options; /* the thread reads its log and numbers */
    uv_async_t async;
    uv_prepare_t turn_end;
    bool unheard;       /* the thread, which may sleep without a time to wake by, was not woken for what is recorded */
    size_t unheard_count;
    bool waited_for;    /* by somebody, of which the thread was not told yet */
    uv_thread_t thread;
    uint64_t ticket; /* of the newest record */
    int64_t last_audit_id;
    struct waiter *first_waiter, **last_waiter;
    struct news heard;
    jp_store_closed_fn *on_stopped;
    void *on_stopped_context;

    /* under the mutex */
    uv_mutex_t mutex;
    uv_cond_t wake;
    struct jp__batch backlog;
    size_t in_flight; /* records that the thread has taken and not yet committed */
    uint64_t dropped_events, dropped_from_seq, dropped_to_seq, dropped_audits, dropped_samples;
    bool dropping;     /* since the last commit */
    bool suspected;    /* the file is damaged, says the reader */
    bool urgent;       /* somebody waits for what is in the backlog */
    uint64_t stop_by_ms; /* not 0: stopping, and trying until then */
    struct news news;
    struct jp__upkeep upkeep; /* says itself whose is what of it */

    /* the thread's only */
    struct jp__connection connection;
    struct jp__batch batch; /* being written; kept over a failure */
    uint64_t began_ms;      /* when the last attempt began */
    uint64_t retry_ms;      /* pause before the next one; 0: the last one succeeded */
    uint64_t reported_drops, reported_audit_drops, reported_sample_drops;
};

/* --- the thread --- */

/* Nobody waits for nothing: a wait that is hurried to less than a millisecond is one. */
static uint64_t hurried(const struct jp__writer *writer, uint64_t ms) {
    uint64_t left = ms / writer->options.hurry;
    return left > 0 ? left : 1;
}

/* When to write next: now or earlier means at once. Under the mutex. */
static uint64_t due_ms(const struct jp__writer *writer) {
    uint64_t pause = writer->retry_ms == 0 ? 0 : hurried(writer, writer->retry_ms);
    uint64_t short_pause = hurried(writer, RETRY_FIRST_MS);
    if (writer->stop_by_ms != 0)
        return writer->began_ms + (pause > short_pause ? short_pause : pause);
    if (pause != 0)
        return writer->began_ms + pause;
    if (writer->suspected)
        return 0;
    if (writer->backlog.ticket == 0 && writer->batch.ticket == 0)
        return UINT64_MAX; /* nothing was recorded, nor is left from before */
    return writer->urgent ? 0 : writer->began_ms + writer->options.flush_interval_ms;
}

/* The same for what the thread does beside writing. A database that cannot be written cannot be purged either, but who asked is told. */
static uint64_t upkeep_due_ms(const struct jp__writer *writer) {
    if (writer->stop_by_ms != 0)
        return UINT64_MAX;
    if (writer->retry_ms != 0)
        return writer->upkeep.asked.first != NULL ? 0 : UINT64_MAX;
    return jp__upkeep_due_ms(&writer->upkeep, writer->news.committed_ticket);
}

/* Waits until something is due. True: it is time to write. Under the mutex. */
static bool wait_until_due(struct jp__writer *writer) {
    for (;;) {
        uint64_t write = due_ms(writer), upkeep = upkeep_due_ms(writer), now = jp__now_ms();
        uint64_t due = write < upkeep ? write : upkeep;
        if (due <= now)
            return write <= now;
        if (due == UINT64_MAX)
            uv_cond_wait(&writer->wake, &writer->mutex);
        else
            uv_cond_timedwait(&writer->wake, &writer->mutex, (due - now) * 1000000);
    }
}

/* Waits until there is something to do, and takes all that is to be written now. False: the end, nothing to write or no time left. */
static bool take_batch(struct jp__writer *writer, bool *ret_write) {
    uv_mutex_lock(&writer->mutex);
    *ret_write = wait_until_due(writer);
    if (!*ret_write) {
        uv_mutex_unlock(&writer->mutex);
        return true;
    }
    jp__batch_absorb(&writer->batch, &writer->backlog);
    writer->in_flight = jp__batch_count(&writer->batch);
    writer->urgent = false;
    if (writer->suspected)
        jp__connection_suspect(&writer->connection);
    writer->suspected = false;
    writer->began_ms = jp__now_ms();
    bool stopping = writer->stop_by_ms != 0;
    bool go_on = !stopping || (writer->batch.ticket != 0 && writer->began_ms < writer->stop_by_ms);
    uv_mutex_unlock(&writer->mutex);
    return go_on;
}

/* What the full backlog could not keep, ever. */
struct dropped {
    uint64_t events, from_seq, to_seq, audits, samples;
};

static void log_recovery(struct jp__writer *writer, const struct dropped *dropped) {
    const struct jp_log *log = writer->options.log;
    jp_log(log, JP_LOG_INFO, "the accounting database \"%s\" can be written again", writer->options.file);
    if (dropped->events > writer->reported_drops)
        jp_log(log, JP_LOG_WARNING, "%llu events were dropped meanwhile, numbers %llu to %llu: the backlog was full",
               (unsigned long long)(dropped->events - writer->reported_drops), (unsigned long long)dropped->from_seq,
               (unsigned long long)dropped->to_seq);
    if (dropped->audits > writer->reported_audit_drops)
        jp_log(log, JP_LOG_WARNING, "%llu rows of the audit trail were dropped meanwhile: the backlog was full",
               (unsigned long long)(dropped->audits - writer->reported_audit_drops));
    if (dropped->samples > writer->reported_sample_drops)
        jp_log(log, JP_LOG_WARNING, "%llu samples of pools were dropped meanwhile: the backlog was half full; what was used is in the next ones",
               (unsigned long long)(dropped->samples - writer->reported_sample_drops));
    writer->reported_drops = dropped->events;
    writer->reported_audit_drops = dropped->audits;
    writer->reported_sample_drops = dropped->samples;
}

/* Under the mutex. */
static void note_renewal(struct jp__writer *writer) {
    struct jp__renewal *renewal = &writer->connection.renewal;
    if (!renewal->anew)
        return;
    writer->news.renewals++;
    jp_free(writer->news.kept_as);
    writer->news.kept_as = renewal->kept_as;
    renewal->kept_as = NULL;
    renewal->anew = false;
    writer->suspected = false; /* of the one before */
}

static uint64_t file_bytes(sqlite3 *db, int which) {
    sqlite3_file *file = NULL;
    sqlite3_int64 bytes = 0;
    if (sqlite3_file_control(db, "main", which, &file) != SQLITE_OK || file == NULL || file->pMethods == NULL ||
        file->pMethods->xFileSize(file, &bytes) != SQLITE_OK)
        return 0;
    return (uint64_t)bytes;
}

/* `first_seq`: what it was, if no event can have gone since then. */
static struct figures measure(const struct jp__writer *writer, uint64_t first_seq) {
    sqlite3 *db = writer->connection.committer.db;
    if (db == NULL)
        return writer->news.figures; /* of the last time that there was one */
    int64_t first = writer->connection.renewal.anew ? 0 : (int64_t)first_seq;
    if (first == 0)
        jp__db_number(db, "SELECT min(seq) FROM events", &first); /* what cannot be read stays 0 */
    return (struct figures){.first_seq = (uint64_t)first,
                            .file_bytes = file_bytes(db, SQLITE_FCNTL_FILE_POINTER),
                            .wal_bytes = file_bytes(db, SQLITE_FCNTL_JOURNAL_POINTER),
                            .last_purge_100ns = writer->upkeep.last_purge_100ns};
}

static void tell_success(struct jp__writer *writer) {
    bool recovered = writer->retry_ms != 0;
    struct figures figures = measure(writer, writer->news.figures.first_seq); /* which only this thread changes */
    writer->retry_ms = 0;
    uv_mutex_lock(&writer->mutex);
    writer->news.figures = figures;
    writer->dropping = false;
    writer->in_flight = 0;
    if (writer->batch.ticket != 0)
        writer->news.committed_ticket = writer->batch.ticket;
    if (writer->batch.last_seq > writer->news.committed_seq)
        writer->news.committed_seq = writer->batch.last_seq;
    writer->news.degraded = false;
    writer->news.reason[0] = '\0';
    note_renewal(writer);
    writer->dropping = false;
    struct dropped dropped = {.events = writer->dropped_events, .from_seq = writer->dropped_from_seq, .to_seq = writer->dropped_to_seq,
                              .audits = writer->dropped_audits, .samples = writer->dropped_samples};
    uv_mutex_unlock(&writer->mutex);
    if (recovered)
        log_recovery(writer, &dropped);
    jp__batch_clear(&writer->batch);
    uv_async_send(&writer->async);
}

static void tell_failure(struct jp__writer *writer, const char *reason) {
    bool first = writer->retry_ms == 0;
    writer->retry_ms = first ? RETRY_FIRST_MS : writer->retry_ms * 2;
    if (writer->retry_ms > RETRY_LAST_MS)
        writer->retry_ms = RETRY_LAST_MS;
    uv_mutex_lock(&writer->mutex);
    writer->news.degraded = true;
    snprintf(writer->news.reason, sizeof writer->news.reason, "%s", reason);
    uv_mutex_unlock(&writer->mutex);
    if (!first)
        return;
    jp_log(writer->options.log, JP_LOG_ERROR, "the accounting database \"%s\" cannot be written: %s; records wait in memory",
           writer->options.file, reason);
    uv_async_send(&writer->async);
}

/* Does a little of what is due beside writing. */
static void keep_up(struct jp__writer *writer) {
    struct jp__upkeep *upkeep = &writer->upkeep;
    struct jp__purges done = {0};
    struct jp_error error;
    uv_mutex_lock(&writer->mutex);
    bool due = upkeep_due_ms(writer) <= jp__now_ms();
    if (due)
        jp__upkeep_hear(upkeep, writer->retry_ms == 0 ? writer->news.committed_ticket : UINT64_MAX);
    uv_mutex_unlock(&writer->mutex);
    if (!due)
        return;
    if (writer->retry_ms == 0) {
        if (jp__db_is_damage(jp__upkeep_turn(upkeep, writer->connection.committer.db, writer->options.log, &done)))
            jp__writer_suspect_damage(writer);
    } else {
        jp_fail(&error, JP_E_STORE, "the accounting database cannot be written, so nothing was purged");
        jp__upkeep_refuse(upkeep, &done, &error);
    }
    struct figures figures = measure(writer, 0);
    uv_mutex_lock(&writer->mutex);
    bool told = figures.last_purge_100ns != writer->news.figures.last_purge_100ns;
    writer->news.figures = figures;
    told |= jp__upkeep_tell(upkeep, &done);
    uv_mutex_unlock(&writer->mutex);
    if (told)
        uv_async_send(&writer->async);
}

static void end_upkeep(struct jp__writer *writer) {
    struct jp__purges done = {0};
    struct jp_error error;
    jp_fail(&error, JP_E_STOPPING, "the service is stopping");
    uv_mutex_lock(&writer->mutex);
    jp__upkeep_hear(&writer->upkeep, UINT64_MAX);
    jp__upkeep_refuse(&writer->upkeep, &done, &error);
    jp__upkeep_tell(&writer->upkeep, &done);
    uv_mutex_unlock(&writer->mutex);
}

static void run(void *argument) {
    struct jp__writer *writer = argument;
    char reason[sizeof writer->news.reason];
    bool write = false;
    while (take_batch(writer, &write)) {
        if (!write) {
            keep_up(writer);
            continue;
        }
        if (jp__connection_commit(&writer->connection, &writer->batch, reason, sizeof reason) == SQLITE_OK) {
            tell_success(writer);
            jp__connection_level(&writer->connection);
        } else {
            tell_failure(writer, reason);
        }
        keep_up(writer); /* also where there is always something to write */
    }
    end_upkeep(writer);
    jp__connection_close(&writer->connection, writer->batch.ticket == 0);
    uint64_t lost = jp__batch_count(&writer->batch);
    if (lost > 0)
        jp_log(writer->options.log, JP_LOG_ERROR,
               "%llu records could not be written to the accounting database and are lost",
               (unsigned long long)lost);
    jp__batch_free(&writer->batch);
    uv_mutex_lock(&writer->mutex);
    writer->news.ended = true;
    writer->news.lost = lost;
    uv_mutex_unlock(&writer->mutex);
    uv_async_send(&writer->async);
}

/* --- the loop's thread: records in --- */

static size_t records_held(const struct jp__writer *writer) { /* under the mutex */
    return jp__batch_count(&writer->backlog) + writer->in_flight;
}

static void hand_over(struct jp__writer *writer) {
    uv_mutex_lock(&writer->mutex);
    writer->urgent |= writer->waited_for && writer->backlog.ticket != 0; /* else it is being written already */
    uv_mutex_unlock(&writer->mutex);
    uv_cond_signal(&writer->wake); /* after that, so that the thread does not wake up to find it locked */
    writer->unheard = writer->waited_for = false;
}

/* Before the loop sleeps: what one message or request brings is recorded in one turn, and so becomes one commit. */
static void on_turn_end(uv_prepare_t *turn_end) {
    struct jp__writer *writer = turn_end->data;
    if (writer->unheard || writer->waited_for)
        hand_over(writer);
}

static void begin_record(struct jp__writer *writer) {
    writer->ticket++;
    uv_mutex_lock(&writer->mutex);
    if (writer->backlog.ticket == 0) {
        writer->unheard = true;
        writer->unheard_count = 0;
    }
    writer->backlog.ticket = writer->ticket;
}

static void end_record(struct jp__writer *writer) {
    uv_mutex_unlock(&writer->mutex);
    if (writer->unheard && ++writer->unheard_count >= EAGER)
        hand_over(writer);
}

/* Under the mutex. */
static void note_dropped(struct jp__writer *writer, uint64_t seq) {
    if (!writer->dropping)
        writer->dropped_from_seq = seq;
    writer->dropping = true;
    writer->dropped_to_seq = seq;
    writer->dropped_events++;
}

void jp__writer_add_event(struct jp__writer *writer, const struct jp_event *event) {
    begin_record(writer);
    if (records_held(writer) < writer->options.max_backlog) {
        jp__batch_add_event(&writer->backlog, event);
    } else {
        note_dropped(writer, event->seq);
        if (event->seq > writer->backlog.last_seq)
            writer->backlog.last_seq = event->seq; /* its number is spent all the same */
    }
    end_record(writer);
}

/* Who did what is worth more than an event, but whoever asks often can fill the backlog with it: it gets a quarter more room, and no
 * further. An id is spent on a row that is dropped, so that the trail itself shows where one is missing. */
void jp__writer_add_audit(struct jp__writer *writer, const struct jp_audit_record *record) {
    struct jp_audit_record numbered = *record;
    numbered.id = ++writer->last_audit_id;
    begin_record(writer);
    if (records_held(writer) < writer->options.max_backlog + writer->options.max_backlog / AUDIT_SHARE) {
        jp__batch_add_audit(&writer->backlog, &numbered);
    } else {
        writer->dropped_audits++;
        writer->backlog.last_audit_id = numbered.id;
    }
    end_record(writer);
}

void jp__writer_add_process(struct jp__writer *writer, const struct jp_process_record *record) {
    begin_record(writer);
    jp__batch_add_process(&writer->backlog, record);
    end_record(writer);
}

void jp__writer_add_pool(struct jp__writer *writer, const struct jp_pool_record *record) {
    begin_record(writer);
    jp__batch_add_pool(&writer->backlog, record, jp__now_100ns());
    end_record(writer);
}

void jp__writer_forget_pool(struct jp__writer *writer, const char *name) {
    begin_record(writer);
    jp__batch_add_forgotten_pool(&writer->backlog, name, jp__now_100ns());
    end_record(writer);
}

void jp__writer_suspect_damage(struct jp__writer *writer) {
    uv_mutex_lock(&writer->mutex);
    writer->suspected = true;
    uv_cond_signal(&writer->wake);
    uv_mutex_unlock(&writer->mutex);
}

void jp__writer_add_job(struct jp__writer *writer, const struct jp_job_record *record) {
    begin_record(writer);
    jp__batch_add_job(&writer->backlog, record);
    end_record(writer);
}

void jp__writer_forget_job(struct jp__writer *writer, const char *object_name) {
    begin_record(writer);
    jp__batch_add_forgotten_job(&writer->backlog, object_name);
    end_record(writer);
}

void jp__writer_add_unobserved(struct jp__writer *writer, const struct jp_unobserved_record *record) {
    begin_record(writer);
    jp__batch_add_unobserved(&writer->backlog, record, writer->ticket);
    end_record(writer);
}

void jp__writer_add_reset(struct jp__writer *writer, const struct jp_reset_record *record) {
    begin_record(writer);
    jp__batch_add_reset(&writer->backlog, record, writer->ticket);
    end_record(writer);
}

/* The first to go: a chart has a hole then, but nothing is lost that is not in the next one. */
void jp__writer_add_sample(struct jp__writer *writer, const struct jp_sample_record *record) {
    begin_record(writer);
    if (records_held(writer) < writer->options.max_backlog / SAMPLE_SHARE)
        jp__batch_add_sample(&writer->backlog, record);
    else
        writer->dropped_samples++;
    end_record(writer);
}

void jp__writer_set_keeper(struct jp__writer *writer, uint32_t pid, int64_t start_100ns) {
    begin_record(writer);
    jp__batch_set_keeper(&writer->backlog, pid, start_100ns);
    end_record(writer);
}

void jp__writer_purge(struct jp__writer *writer, const struct jp_purge_filter *filter, jp_purged_fn *callback, void *context) {
    struct jp__purge *purge = jp__purge_new(filter, writer->ticket, callback, context);
    uv_mutex_lock(&writer->mutex);
    jp__upkeep_ask(&writer->upkeep, purge);
    writer->urgent = writer->backlog.ticket != 0; /* so that it sees what was recorded before it */
    uv_cond_signal(&writer->wake);
    uv_mutex_unlock(&writer->mutex);
}

void jp__writer_set_retention(struct jp__writer *writer, const struct jp_retention *retention) {
    uv_mutex_lock(&writer->mutex);
    jp__upkeep_set_retention(&writer->upkeep, retention);
    uv_cond_signal(&writer->wake);
    uv_mutex_unlock(&writer->mutex);
}

/* --- the loop's thread: news out --- */

bool jp__writer_is_idle(const struct jp__writer *writer) {
    return writer->heard.committed_ticket == writer->ticket;
}

void jp__writer_when_durable(struct jp__writer *writer, jp_durable_fn *callback, void *context) {
    struct waiter *waiter = jp_alloc(sizeof *waiter);
    waiter->ticket = writer->ticket;
    waiter->callback = callback;
    waiter->context = context;
    *writer->last_waiter = waiter;
    writer->last_waiter = &waiter->next;
    if (jp__writer_is_idle(writer) || writer->heard.degraded) {
        uv_async_send(&writer->async); /* the answer is known; the call comes from the loop all the same */
        return;
    }
    writer->waited_for = true;
}

/* Calls those whose records are on the disk, or all of them if the disk does not take any. */
static void call_waiters(struct jp__writer *writer) {
    bool all = writer->heard.degraded || writer->heard.ended;
    uint64_t committed = writer->heard.committed_ticket;
    struct waiter *due = writer->first_waiter, **end = &due;
    while (*end != NULL && (all || (*end)->ticket <= committed))
        end = &(*end)->next;
    writer->first_waiter = *end; /* cut off before any call: a callback may wait anew */
    if (writer->first_waiter == NULL)
        writer->last_waiter = &writer->first_waiter;
    *end = NULL;

    while (due != NULL) {
        struct waiter *next = due->next;
        due->callback(due->context, due->ticket <= committed ? JP_OK : JP_E_STORE);
        jp_free(due);
        due = next;
    }
}

static void free_writer(uv_handle_t *handle) {
    struct jp__writer *writer = handle->data;
    jp_free(writer->heard.kept_as);
    jp_free(writer->connection.renewal.kept_as);
    jp_strings_free(&writer->upkeep.told);
    jp_free(writer);
}

static void on_closed(uv_handle_t *handle) {
    struct jp__writer *writer = handle->data;
    uv_cond_destroy(&writer->wake);
    uv_mutex_destroy(&writer->mutex);
    jp_store_closed_fn *callback = writer->on_stopped;
    void *context = writer->on_stopped_context;
    uint64_t lost = writer->heard.lost;
    jp__batch_free(&writer->backlog); /* what those who waited have recorded since */
    free_writer(handle);
    callback(context, lost);
}

static void on_turn_end_closed(uv_handle_t *handle) {
    struct jp__writer *writer = handle->data;
    uv_close((uv_handle_t *)&writer->async, on_closed);
}

static void on_news(uv_async_t *async) {
    struct jp__writer *writer = async->data;
    uint64_t known_seq = writer->heard.committed_seq;
    unsigned known_renewals = writer->heard.renewals;
    bool was_degraded = writer->heard.degraded;
    jp_free(writer->heard.kept_as);
    uv_mutex_lock(&writer->mutex);
    writer->heard = writer->news;
    writer->news.kept_as = NULL;
    struct jp__purge *purged = jp__upkeep_answers(&writer->upkeep);
    struct jp_strings forgotten = jp__upkeep_forgotten(&writer->upkeep);
    uv_mutex_unlock(&writer->mutex);

    const struct jp_store_options *options = &writer->options;
    if (writer->heard.renewals != known_renewals && options->on_renewed != NULL)
        options->on_renewed(options->context, writer->heard.kept_as);
    if (writer->heard.committed_seq > known_seq && options->on_committed != NULL)
        options->on_committed(options->context, writer->heard.committed_seq);
    if (writer->heard.degraded != was_degraded && options->on_state != NULL)
        options->on_state(options->context);
    for (size_t i = 0; i < forgotten.count && options->on_forgotten != NULL; i++)
        options->on_forgotten(options->context, forgotten.items[i]);
    jp_strings_free(&forgotten);
    call_waiters(writer);
    jp__purges_deliver(purged);
    if (writer->heard.ended) {
        uv_thread_join(&writer->thread);
        uv_close((uv_handle_t *)&writer->turn_end, on_turn_end_closed);
    }
}

void jp__writer_state(struct jp__writer *writer, struct jp_accounts_state *ret_state) {
    struct jp_accounts_state state = {0};
    uv_mutex_lock(&writer->mutex);
    state.degraded = writer->news.degraded;
    snprintf(state.reason, sizeof state.reason, "%s", writer->news.reason);
    state.backlog = records_held(writer);
    state.dropped_events = writer->dropped_events;
    state.dropped_from_seq = writer->dropped_from_seq;
    state.dropped_to_seq = writer->dropped_to_seq;
    state.dropped_audits = writer->dropped_audits;
    state.dropped_samples = writer->dropped_samples;
    state.committed_seq = writer->news.committed_seq;
    state.first_seq = writer->news.figures.first_seq;
    state.file_bytes = writer->news.figures.file_bytes;
    state.wal_bytes = writer->news.figures.wal_bytes;
    state.last_purge_100ns = writer->news.figures.last_purge_100ns;
    uv_mutex_unlock(&writer->mutex);
    *ret_state = state;
}

/* --- from start to stop --- */

jp_status jp__writer_start(const struct jp_store_options *options, const struct jp__place *place, sqlite3 *db,
                           const struct jp_accounts_start *start, struct jp__reader *reader, struct jp__writer **ret_writer,
                           struct jp_error *error) {
    struct jp__writer *writer = jp_alloc(sizeof *writer);
    writer->options = *options;
    writer->connection = (struct jp__connection){.committer = {.db = db, .run = start->run, .last_process_id = start->last_process_id}, .place = *place, .reader = reader,
                                                 .known = {.last_seq = start->last_seq, .last_process_id = start->last_process_id,
                                                           .last_audit_id = start->last_audit_id, .run = start->run}};
    writer->last_audit_id = start->last_audit_id;
    writer->news.committed_seq = writer->heard.committed_seq = start->last_seq;
    writer->news.figures = measure(writer, 0);
    jp__upkeep_set_retention(&writer->upkeep, &options->retention);
    writer->last_waiter = &writer->first_waiter;
    writer->async.data = writer;
    int result = uv_async_init(options->loop, &writer->async, on_news);
    if (result != 0) {
        free_writer((uv_handle_t *)&writer->async);
        goto fail;
    }
    if ((result = uv_mutex_init(&writer->mutex)) != 0)
        goto close_async;
    if ((result = uv_cond_init(&writer->wake)) != 0)
        goto destroy_mutex;
    if ((result = uv_thread_create(&writer->thread, run, writer)) != 0)
        goto destroy_cond;
    uv_prepare_init(options->loop, &writer->turn_end);
    uv_prepare_start(&writer->turn_end, on_turn_end);
    uv_unref((uv_handle_t *)&writer->turn_end);
    writer->turn_end.data = writer;
    *ret_writer = writer;
    return JP_OK;

destroy_cond:
    uv_cond_destroy(&writer->wake);
destroy_mutex:
    uv_mutex_destroy(&writer->mutex);
close_async:
    uv_close((uv_handle_t *)&writer->async, free_writer);
fail:
    return jp_fail(error, JP_E_STORE, "the thread that writes the accounting database cannot be started: %s",
                   uv_strerror(result));
}

void jp__writer_stop(struct jp__writer *writer, jp_store_closed_fn *callback, void *context) {
    writer->on_stopped = callback;
    writer->on_stopped_context = context;
    uv_mutex_lock(&writer->mutex);
    writer->stop_by_ms = jp__now_ms() + hurried(writer, JP_STORE_CLOSE_MS);
    uv_cond_signal(&writer->wake);
    uv_mutex_unlock(&writer->mutex);
}
