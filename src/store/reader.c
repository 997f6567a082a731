/* Owns the queue of queries, the read-only connection and the thread between them. */
#include "store/reader.h"

#include "base/str.h"
#include "store/database.h"

#include <string.h>

enum { STEPS_BETWEEN_CHECKS = 10000 }; /* of SQLite's machine: about a millisecond */

struct queue {
    struct jp__query *first, **last;
};

struct jp__reader {
    /* the loop's thread only */
    uv_async_t async;
    uv_thread_t thread;
    size_t asked; /* queries not yet answered */
    struct jp__writer *writer; /* who is told of damage; NULL until something was asked */
    void (*on_stopped)(void *context);
    void *on_stopped_context;

    /* under the mutex */
    uv_mutex_t mutex;
    uv_cond_t wake;
    struct queue waiting;
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
    uint64_t deadline_ms;
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

/* SQLite asks now and then whether to break off. */
static int wants_to_stop(void *context) {
    struct jp__reader *reader = context;
    return jp__now_ms() > reader->deadline_ms || is_stopping(reader) || is_held(reader);
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

static void fail_sqlite(struct jp__reader *reader, struct jp__query *query, int code) {
    struct jp_error error;
    if (code == SQLITE_INTERRUPT && is_stopping(reader)) {
        fail_stopping(query);
        return;
    }
    if (code == SQLITE_INTERRUPT && is_held(reader)) {
        jp_fail(&error, JP_E_STORE, "the accounting database broke while it was read, and is opened anew: ask again");
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
    reader->open = false;
    uv_cond_signal(&reader->stands_back);
}

/* The next query to be answered, or NULL: the end. Under the mutex. */
static struct jp__query *take_query(struct jp__reader *reader) {
    for (;;) {
        if (reader->held && reader->open)
            stand_back(reader);
        struct jp__query *query = reader->held && !reader->stopping ? NULL : queue_take(&reader->waiting);
        if (query != NULL || reader->stopping)
            return query;
        uv_cond_wait(&reader->wake, &reader->mutex);
    }
}

static void run(void *argument) {
    struct jp__reader *reader = argument;
    uv_mutex_lock(&reader->mutex);
    for (struct jp__query *query; (query = take_query(reader)) != NULL;) {
        reader->open = true;
        uv_mutex_unlock(&reader->mutex);
        answer(reader, query);
        uv_mutex_lock(&reader->mutex);
        queue_put(&reader->answered, query);
        uv_async_send(&reader->async);
    }
    stand_back(reader);
    reader->ended = true;
    uv_mutex_unlock(&reader->mutex);
    uv_async_send(&reader->async);
}

/* --- the loop's thread --- */

static void deliver(struct jp__reader *reader, struct jp__query *query) {
    reader->asked--;
    jp__query_deliver(query);
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
    if (query->status == JP_OK) {
        queue_put(&reader->waiting, query);
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
