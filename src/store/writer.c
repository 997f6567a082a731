/* The loop's side: takes records in for the thread that writes (writer_thread.c), and passes on what that one tells. */
#include "store/writer_internal.h"

#include "base/str.h"
#include "store/database.h"

#include <stdio.h>

enum {
    EAGER = 256, /* so many records, and the thread is woken in the midst of a turn of the loop */
    AUDIT_SHARE = 4, /* of the backlog's bound, beyond it: only for the audit trail */
    SAMPLE_SHARE = 2, /* of the backlog's bound: beyond it no samples are kept any more, and nothing waits for what comes after it */
};

struct jp__waiter {
    struct jp__waiter *next;
    uint64_t ticket;
    jp_durable_fn *callback;
    void *context;
};

/* --- records in --- */

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
    bool fills = !writer->urgent && records_held(writer) >= writer->options.max_backlog / SAMPLE_SHARE;
    writer->urgent |= fills;
    uv_mutex_unlock(&writer->mutex);
    if (fills || (writer->unheard && ++writer->unheard_count >= EAGER))
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

void jp__writer_release(struct jp__writer *writer) {
    uv_mutex_lock(&writer->mutex);
    writer->held_until_ms = 0;
    uv_mutex_unlock(&writer->mutex);
    uv_cond_signal(&writer->wake);
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

/* --- news out --- */

bool jp__writer_is_idle(const struct jp__writer *writer) {
    return writer->heard.committed_ticket == writer->ticket;
}

void jp__writer_when_durable(struct jp__writer *writer, jp_durable_fn *callback, void *context) {
    struct jp__waiter *waiter = jp_alloc(sizeof *waiter);
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
    struct jp__waiter *due = writer->first_waiter, **end = &due;
    while (*end != NULL && (all || (*end)->ticket <= committed))
        end = &(*end)->next;
    writer->first_waiter = *end; /* cut off before any call: a callback may wait anew */
    if (writer->first_waiter == NULL)
        writer->last_waiter = &writer->first_waiter;
    *end = NULL;

    while (due != NULL) {
        struct jp__waiter *next = due->next;
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
    writer->news.figures = jp__writer_measure(writer, 0);
    writer->held_until_ms = options->hold_ms > 0 ? jp__now_ms() + options->hold_ms : 0;
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
    if ((result = uv_thread_create(&writer->thread, jp__writer_run, writer)) != 0)
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
    writer->stop_by_ms = jp__now_ms() + jp__writer_hurried(writer, JP_STORE_CLOSE_MS);
    uv_cond_signal(&writer->wake);
    uv_mutex_unlock(&writer->mutex);
}
