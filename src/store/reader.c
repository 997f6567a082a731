/* Owns the queue of queries, the read-only connection and the thread between them. */
#include "store/reader.h"

#include "base/str.h"
#include "store/database.h"
#include "store/report.h"

#include <string.h>

enum {
    STEPS_BETWEEN_CHECKS = 10000, /* of SQLite's machine: about a millisecond */
    MAX_BEGUN_REPORTS = 4,        /* each may have groups of some 100 MB */
};

struct queue {
    struct jp__query *first, **last;
};

struct jp__reader {
    /* the loop's thread only */
    uv_async_t async;
    uv_thread_t thread;
    size_t asked; /* queries not yet answered */
    struct jp__query *first_report; /* of these the reports, and series, which are treated alike */
    uint64_t last_report;
    struct jp__writer *writer; /* who is told of damage; NULL until something was asked */
    void (*on_stopped)(void *context);
    void *on_stopped_context;

    /* under the mutex */
    uv_mutex_t mutex;
    uv_cond_t wake;
    struct queue waiting;
    struct queue new_reports;   /* not begun: they have no groups in memory yet */
    struct queue begun_reports; /* those that take turns; the one that has its turn is in none of these */
    size_t begun_count;         /* that one, too */
    bool reports_turn;          /* after each other query, a step of a report */
    struct queue answered;
    uv_cond_t stands_back; /* signalled when `open` has become false */
    bool held;             /* the writer wants the file for itself */
    bool open;             /* the thread has a connection, or is about to */
    bool damaged;          /* it has read what cannot be */
    bool stopping;
    bool ended;

    /* the thread's only */
    char *file;
    int busy_ms;
    sqlite3 *db; /* opened for the first query, and again after a failure */
    unsigned connection; /* rises when the file may be another one */
    uint64_t deadline_ms;
    struct jp__query *current;
};

static void queue_clear(struct queue *queue) {
    queue->first = NULL;
    queue->last = &queue->first;
}

static void queue_put(struct queue *queue, struct jp__query *query) {
    query->next = NULL;
    *queue->last = query;
    queue->last = &query->next;
}

static struct jp__query *queue_take(struct queue *queue) {
    struct jp__query *query = queue->first;
    if (query != NULL) {
        queue->first = query->next;
        if (queue->first == NULL)
            queue->last = &queue->first;
    }
    return query;
}

/* Takes out this one, if it is there. */
static bool queue_remove(struct queue *queue, struct jp__query *query) {
    bool found = false;
    struct queue rest;
    queue_clear(&rest);
    for (struct jp__query *other; (other = queue_take(queue)) != NULL;) {
        found |= other == query;
        if (other != query)
            queue_put(&rest, other);
    }
    queue_clear(queue);
    for (struct jp__query *other; (other = queue_take(&rest)) != NULL;)
        queue_put(queue, other);
    return found;
}

static void fail_stopping(struct jp__query *query) {
    struct jp_error error;
    jp_fail(&error, JP_E_STOPPING, "the service is stopping");
    jp__query_fail(query, &error);
}

/* --- the thread --- */

static bool is_stopping(struct jp__reader *reader) {
    uv_mutex_lock(&reader->mutex);
    bool stopping = reader->stopping;
    uv_mutex_unlock(&reader->mutex);
    return stopping;
}

static bool is_held(struct jp__reader *reader) {
    uv_mutex_lock(&reader->mutex);
    bool held = reader->held;
    uv_mutex_unlock(&reader->mutex);
    return held;
}

static bool is_cancelled(struct jp__reader *reader, const struct jp__query *query) {
    uv_mutex_lock(&reader->mutex);
    bool cancelled = query->cancelled;
    uv_mutex_unlock(&reader->mutex);
    return cancelled;
}

/* SQLite asks now and then whether to break off. */
static int wants_to_stop(void *context) {
    struct jp__reader *reader = context;
    return jp__now_ms() > reader->deadline_ms || is_stopping(reader) || is_held(reader) || is_cancelled(reader, reader->current);
}

static void close_db(struct jp__reader *reader) {
    sqlite3_close(reader->db);
    reader->db = NULL;
}

static int open_db(struct jp__reader *reader) {
    int code = sqlite3_open_v2(reader->file, &reader->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return code;
    sqlite3_extended_result_codes(reader->db, 1);
    sqlite3_busy_timeout(reader->db, reader->busy_ms);
    sqlite3_progress_handler(reader->db, STEPS_BETWEEN_CHECKS, wants_to_stop, reader);
    return SQLITE_OK;
}

static const char *const broke = "the accounting database broke while it was read, and is opened anew: ask again";

static void fail_sqlite(struct jp__reader *reader, struct jp__query *query, int code) {
    struct jp_error error;
    if (code == SQLITE_INTERRUPT && is_stopping(reader)) {
        fail_stopping(query);
        return;
    }
    if (code == SQLITE_INTERRUPT && is_held(reader)) {
        jp_fail(&error, JP_E_STORE, "%s", broke);
    } else if (code == SQLITE_INTERRUPT) {
        jp_fail(&error, JP_E_TIMEOUT, "the query took longer than %d s: narrow it", JP_STORE_QUERY_MS / 1000);
    } else {
        char reason[256];
        jp__db_reason(reader->db, code, reason, sizeof reason);
        jp_fail(&error, JP_E_STORE, "the accounting database cannot be read: %s", reason);
    }
    jp__query_fail(query, &error);
}

static void answer(struct jp__reader *reader, struct jp__query *query) {
    if (is_stopping(reader)) {
        fail_stopping(query);
        return;
    }
    if (query->begun && query->connection != reader->connection) { /* what it has counted may be of another file */
        struct jp_error error;
        jp_fail(&error, JP_E_STORE, "%s", broke);
        jp__query_fail(query, &error);
        return;
    }
    query->connection = reader->connection;
    reader->current = query;
    reader->deadline_ms = jp__now_ms() + JP_STORE_QUERY_MS;
    int code = reader->db == NULL ? open_db(reader) : SQLITE_OK;
    if (code == SQLITE_OK)
        code = jp__query_run(query, reader->db);
    if (code == SQLITE_OK)
        return;
    fail_sqlite(reader, query, code);
    if (code != SQLITE_INTERRUPT)
        close_db(reader);
    if (!jp__db_is_damage(code))
        return;
    uv_mutex_lock(&reader->mutex);
    reader->damaged = !reader->held; /* else it is the writer's own finding */
    uv_mutex_unlock(&reader->mutex);
}

/* Under the mutex. */
static void stand_back(struct jp__reader *reader) {
    close_db(reader);
    reader->connection++;
    reader->open = false;
    uv_cond_signal(&reader->stands_back);
}

static struct jp__query *take_report(struct jp__reader *reader) {
    struct jp__query *query = reader->begun_count < MAX_BEGUN_REPORTS ? queue_take(&reader->new_reports) : NULL;
    if (query == NULL)
        return queue_take(&reader->begun_reports);
    reader->begun_count++;
    return query;
}

static struct jp__query *take_turn(struct jp__reader *reader) {
    struct jp__query *query = reader->reports_turn ? take_report(reader) : queue_take(&reader->waiting);
    if (query == NULL)
        query = reader->reports_turn ? queue_take(&reader->waiting) : take_report(reader);
    reader->reports_turn = query != NULL && !jp__query_in_steps(query);
    return query;
}

/* The next query to be answered, or NULL: the end. Under the mutex. */
static struct jp__query *take_query(struct jp__reader *reader) {
    for (;;) {
        if (reader->held && reader->open)
            stand_back(reader);
        struct jp__query *query = reader->held && !reader->stopping ? NULL : take_turn(reader);
        if (query != NULL || reader->stopping)
            return query;
        uv_cond_wait(&reader->wake, &reader->mutex);
    }
}

/* Gives an answered query out, or puts a report back whose turn is over. Under the mutex. */
static void put_back(struct jp__reader *reader, struct jp__query *query) {
    if (query->kind == JP__QUERY_REPORT)
        jp__report_progress(query->report, &query->done_rows, &query->all_rows);
    query->begun = jp__query_in_steps(query) && query->status == JP_OK && query->unfinished && !query->cancelled;
    if (!query->begun && jp__query_in_steps(query))
        reader->begun_count--;
    queue_put(query->begun ? &reader->begun_reports : &reader->answered, query);
}

static void run(void *argument) {
    struct jp__reader *reader = argument;
    uv_mutex_lock(&reader->mutex);
    for (struct jp__query *query; (query = take_query(reader)) != NULL;) {
        reader->open = true;
        uv_mutex_unlock(&reader->mutex);
        answer(reader, query);
        uv_mutex_lock(&reader->mutex);
        put_back(reader, query);
        uv_async_send(&reader->async);
    }
    stand_back(reader);
    reader->ended = true;
    uv_mutex_unlock(&reader->mutex);
    uv_async_send(&reader->async);
}

/* --- the loop's thread --- */

static void forget_report(struct jp__reader *reader, const struct jp__query *query) {
    struct jp__query **link = &reader->first_report;
    while (*link != query)
        link = &(*link)->next_report;
    *link = query->next_report;
}

static void deliver(struct jp__reader *reader, struct jp__query *query) {
    reader->asked--;
    if (jp__query_in_steps(query))
        forget_report(reader, query);
    if (query->cancelled) { /* though it may have been finished in that moment */
        struct jp_error error;
        jp_fail(&error, JP_E_CANCELLED, "the query was cancelled");
        jp__query_fail(query, &error);
    }
    jp__query_deliver(query);
}

/* Who is told may cancel any report, but none is gone before it is delivered. */
static void tell_progress(struct jp__reader *reader) {
    for (struct jp__query *query = reader->first_report; query != NULL; query = query->next_report) {
        uv_mutex_lock(&reader->mutex);
        uint64_t done = query->done_rows, all = query->all_rows;
        bool news = done > query->told_rows && !query->cancelled;
        query->told_rows = done;
        uv_mutex_unlock(&reader->mutex);
        if (news && query->progress != NULL)
            query->progress(query->context, done, all);
    }
}

static void on_stopped(uv_handle_t *handle) {
    struct jp__reader *reader = handle->data;
    reader->on_stopped(reader->on_stopped_context);
}

static void on_answers(uv_async_t *async) {
    struct jp__reader *reader = async->data;
    uv_mutex_lock(&reader->mutex);
    struct jp__query *query = reader->answered.first;
    queue_clear(&reader->answered);
    bool ended = reader->ended;
    if (reader->damaged) /* told before the writer can hold us, so that it knows whether it has dealt with this */
        jp__writer_suspect_damage(reader->writer);
    reader->damaged = false;
    uv_mutex_unlock(&reader->mutex);
    tell_progress(reader);
    while (query != NULL) {
        struct jp__query *next = query->next;
        deliver(reader, query);
        query = next;
    }
    if (ended) {
        uv_thread_join(&reader->thread);
        uv_close((uv_handle_t *)&reader->async, on_stopped);
    }
}

/* Puts the query where the thread takes them, or, if it has failed already, where the answers are. */
static void enqueue(struct jp__reader *reader, struct jp__query *query) {
    uv_mutex_lock(&reader->mutex);
    if (query->status == JP_OK && !query->cancelled) {
        queue_put(jp__query_in_steps(query) ? &reader->new_reports : &reader->waiting, query);
        uv_cond_signal(&reader->wake);
    } else {
        queue_put(&reader->answered, query);
        uv_async_send(&reader->async);
    }
    uv_mutex_unlock(&reader->mutex);
}

/* What the writer could not write is not seen; what is there is better than nothing, so `status` does not matter. */
static void on_written(void *context, jp_status status) {
    struct jp__query *query = context;
    struct jp__reader *reader = query->reader;
    (void)status;
    if (reader->on_stopped == NULL) {
        enqueue(reader, query);
        return;
    }
    fail_stopping(query);
    deliver(reader, query);
}

void jp__reader_ask(struct jp__reader *reader, struct jp__writer *writer, struct jp__query *query) {
    query->reader = reader;
    reader->writer = writer;
    if (reader->asked++ >= JP_STORE_MAX_QUERIES && query->status == JP_OK) {
        struct jp_error error;
        jp_fail(&error, JP_E_QUOTA, "%d queries wait for the accounting database already", JP_STORE_MAX_QUERIES);
        jp__query_fail(query, &error);
    }
    if (query->status != JP_OK || jp__writer_is_idle(writer))
        enqueue(reader, query);
    else
        jp__writer_when_durable(writer, on_written, query);
}

uint64_t jp__reader_ask_report(struct jp__reader *reader, struct jp__writer *writer, struct jp__query *query) {
    uint64_t number = query->number = ++reader->last_report;
    query->next_report = reader->first_report;
    reader->first_report = query;
    jp__reader_ask(reader, writer, query);
    return number;
}

/* One that waits for the writer, or has its turn, is let go when that is over. */
void jp__reader_cancel_report(struct jp__reader *reader, uint64_t number) {
    struct jp__query *query = reader->first_report;
    while (query != NULL && query->number != number)
        query = query->next_report;
    if (query == NULL)
        return;
    uv_mutex_lock(&reader->mutex);
    query->cancelled = true;
    bool was_begun = queue_remove(&reader->begun_reports, query);
    if (was_begun)
        reader->begun_count--;
    if (was_begun || queue_remove(&reader->new_reports, query)) {
        queue_put(&reader->answered, query);
        uv_async_send(&reader->async);
    }
    uv_mutex_unlock(&reader->mutex);
}

/* --- the writer's thread --- */

void jp__reader_hold(struct jp__reader *reader) {
    uv_mutex_lock(&reader->mutex);
    reader->held = true;
    reader->damaged = false; /* what it read is about to go */
    uv_cond_signal(&reader->wake);
    while (reader->open)
        uv_cond_wait(&reader->stands_back, &reader->mutex);
    uv_mutex_unlock(&reader->mutex);
}

void jp__reader_let_go(struct jp__reader *reader) {
    uv_mutex_lock(&reader->mutex);
    reader->held = false;
    uv_cond_signal(&reader->wake);
    uv_mutex_unlock(&reader->mutex);
}

/* --- from start to stop --- */

static void free_reader(uv_handle_t *handle) {
    struct jp__reader *reader = handle->data;
    jp_free(reader->file);
    jp_free(reader);
}

jp_status jp__reader_start(uv_loop_t *loop, const char *file, int busy_ms, struct jp__reader **ret_reader, struct jp_error *error) {
    struct jp__reader *reader = jp_alloc(sizeof *reader);
    reader->file = jp_strdup(file);
    reader->busy_ms = busy_ms;
    reader->async.data = reader;
    queue_clear(&reader->waiting);
    queue_clear(&reader->new_reports);
    queue_clear(&reader->begun_reports);
    queue_clear(&reader->answered);
    int result = uv_async_init(loop, &reader->async, on_answers);
    if (result != 0) {
        free_reader((uv_handle_t *)&reader->async);
        goto fail;
    }
    if ((result = uv_mutex_init(&reader->mutex)) != 0)
        goto close_async;
    if ((result = uv_cond_init(&reader->wake)) != 0)
        goto destroy_mutex;
    if ((result = uv_cond_init(&reader->stands_back)) != 0)
        goto destroy_wake;
    if ((result = uv_thread_create(&reader->thread, run, reader)) != 0)
        goto destroy_stands_back;
    *ret_reader = reader;
    return JP_OK;

destroy_stands_back:
    uv_cond_destroy(&reader->stands_back);
destroy_wake:
    uv_cond_destroy(&reader->wake);
destroy_mutex:
    uv_mutex_destroy(&reader->mutex);
close_async:
    uv_close((uv_handle_t *)&reader->async, free_reader);
fail:
    return jp_fail(error, JP_E_STORE, "the thread that reads the accounting database cannot be started: %s",
                   uv_strerror(result));
}

void jp__reader_stop(struct jp__reader *reader, void (*callback)(void *context), void *context) {
    reader->on_stopped = callback;
    reader->on_stopped_context = context;
    uv_mutex_lock(&reader->mutex);
    reader->stopping = true;
    uv_cond_signal(&reader->wake);
    uv_mutex_unlock(&reader->mutex);
}

void jp__reader_free(struct jp__reader *reader) {
    uv_cond_destroy(&reader->stands_back);
    uv_cond_destroy(&reader->wake);
    uv_mutex_destroy(&reader->mutex);
    free_reader((uv_handle_t *)&reader->async);
}
